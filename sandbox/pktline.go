package sandbox

import (
	"errors"
	"fmt"
	"io"
	"strconv"
)

// The special packets of git's wire format.
const (
	flushPacket = "0000"
	mostPacket  = 65516 // the most a packet carries, with room for a side band's number
)

type packetKind int

const (
	dataPacket packetKind = iota
	flushKind
	delimKind
)

// readPacket reads one pkt-line.
func readPacket(in io.Reader) (data []byte, kind packetKind, err error) {
	var head [4]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return nil, 0, err
	}
	size, err := strconv.ParseUint(string(head[:]), 16, 16)
	switch {
	case err != nil:
		return nil, 0, fmt.Errorf("read a packet: bad length %q", head)
	case size == 0:
		return nil, flushKind, nil
	case size == 1 || size == 2:
		return nil, delimKind, nil
	case size < 4:
		return nil, 0, errors.New("read a packet: bad length")
	}
	data = make([]byte, size-4)
	_, err = io.ReadFull(in, data)
	return data, dataPacket, err
}

// packet is one pkt-line with that content.
func packet(text string) string { return fmt.Sprintf("%04x%s", len(text)+4, text) }

// sideband cuts a text into packets of a side band.
func sideband(band byte, text string) string {
	out := ""
	for len(text) > 0 {
		n := min(len(text), mostPacket-1)
		out += packet(string(rune(band)) + text[:n])
		text = text[n:]
	}
	return out
}

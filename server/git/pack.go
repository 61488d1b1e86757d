package git

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sort"
	"sync"
)

// A build's children write trees and blobs into a scratch folder, in memory
// where the system has one. What a build made goes into the clone as one pack.

// rawObject is one object that is to be packed.
type rawObject struct {
	id, kind string
	data     []byte
}

// emptyStream is nothing, deflated.
var emptyStream = []byte{0x78, 0x9c, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01}

var packKinds = map[string]byte{"commit": 1, "tree": 2, "blob": 3}

// deflaters are kept, since making one costs a thousand times its use here.
var deflaters = sync.Pool{New: func() any {
	z, _ := zlib.NewWriterLevel(io.Discard, zlib.BestSpeed)
	return z
}}

func deflate(into *bytes.Buffer, parts ...[]byte) {
	z := deflaters.Get().(*zlib.Writer)
	defer deflaters.Put(z)
	z.Reset(into)
	for _, part := range parts {
		z.Write(part)
	}
	z.Close()
}

// scratchObject writes a loose object for the worker's own children; nobody
// else ever reads it, so it is written without a detour.
func (w *worker) scratchObject(kind string, data []byte) (string, error) {
	id := objectID(kind, data)
	path := filepath.Join(w.scratch, id[:2], id[2:])
	w.packed[path] = true // or rather: never to be
	var packed bytes.Buffer
	deflate(&packed, fmt.Appendf(nil, "%s %d\x00", kind, len(data)), data)
	err := os.WriteFile(path, packed.Bytes(), 0o644)
	if errors.Is(err, os.ErrNotExist) {
		if err = os.MkdirAll(filepath.Dir(path), 0o755); err == nil {
			err = os.WriteFile(path, packed.Bytes(), 0o644)
		}
	}
	return id, err
}

// keep packs the commits, and the trees and blobs that are new in scratch, into
// the clone. Scratch itself stays, for a rebuild finds its trees there.
func (w *worker) keep(commits []rawObject) error {
	objects := commits
	var seen []string
	z, err := zlib.NewReader(bytes.NewReader(emptyStream))
	if err != nil {
		return err
	}
	for _, path := range looseIn(w.scratch) {
		if w.packed[path] {
			continue
		}
		o, err := readLoose(path, z)
		if err != nil {
			return fmt.Errorf("read scratch object: %w", err)
		}
		if seen = append(seen, path); o.kind != "commit" {
			objects = append(objects, o)
		}
	}
	if err := writePack(filepath.Join(w.clone.dir, "objects", "pack"), objects); err != nil {
		return err
	}
	for _, path := range seen {
		w.packed[path] = true
	}
	return nil
}

func looseIn(objects string) []string {
	var paths []string
	folders, _ := os.ReadDir(objects)
	for _, folder := range folders {
		if len(folder.Name()) != 2 {
			continue
		}
		files, _ := os.ReadDir(filepath.Join(objects, folder.Name()))
		for _, file := range files {
			if len(file.Name()) == 38 {
				paths = append(paths, filepath.Join(objects, folder.Name(), file.Name()))
			}
		}
	}
	return paths
}

func readLoose(path string, z io.ReadCloser) (rawObject, error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return rawObject{}, err
	}
	if err := z.(zlib.Resetter).Reset(bytes.NewReader(file), nil); err != nil {
		return rawObject{}, err
	}
	all, err := io.ReadAll(z)
	if err != nil {
		return rawObject{}, err
	}
	head, data, found := bytes.Cut(all, []byte{0})
	kind, _, spaced := bytes.Cut(head, []byte(" "))
	if !found || !spaced {
		return rawObject{}, fmt.Errorf("%s is no object", path)
	}
	return rawObject{filepath.Base(filepath.Dir(path)) + filepath.Base(path), string(kind), data}, nil
}

// packEntry is what the index says of an object.
type packEntry struct {
	id     [20]byte
	crc    uint32
	offset uint32
}

// writePack writes a pack of whole objects and its index (version 2).
func writePack(folder string, objects []rawObject) error {
	var pack bytes.Buffer
	pack.WriteString("PACK")
	binary.Write(&pack, binary.BigEndian, [2]uint32{2, uint32(len(objects))})
	entries := make([]packEntry, len(objects))
	for i, o := range objects {
		e := &entries[i]
		if _, err := hex.Decode(e.id[:], []byte(o.id)); err != nil || packKinds[o.kind] == 0 {
			return fmt.Errorf("write pack: %q is no %q", o.id, o.kind)
		}
		start := pack.Len()
		if e.offset = uint32(start); start > 1<<31-1 {
			return errors.New("write pack: a build made more than two gigabytes")
		}
		pack.Write(packHeader(packKinds[o.kind], len(o.data)))
		deflate(&pack, o.data)
		e.crc = crc32.ChecksumIEEE(pack.Bytes()[start:])
	}
	sum := sha1.Sum(pack.Bytes())
	pack.Write(sum[:])
	name := filepath.Join(folder, "pack-"+hex.EncodeToString(sum[:]))
	// The index makes the pack visible, so it comes last.
	if err := writeWhole(name+".pack", pack.Bytes()); err != nil {
		return fmt.Errorf("write pack: %w", err)
	}
	if err := writeWhole(name+".idx", packIndex(entries, sum)); err != nil {
		return fmt.Errorf("write pack: %w", err)
	}
	return nil
}

// packHeader holds the kind and the size, seven bits at a time.
func packHeader(kind byte, size int) []byte {
	head := []byte{kind<<4 | byte(size&15)}
	for size >>= 4; size > 0; size >>= 7 {
		head[len(head)-1] |= 0x80
		head = append(head, byte(size&0x7f))
	}
	return head
}

func packIndex(entries []packEntry, pack [20]byte) []byte {
	sort.Slice(entries, func(a, b int) bool { return bytes.Compare(entries[a].id[:], entries[b].id[:]) < 0 })
	var fan [256]uint32
	for _, e := range entries {
		for first := int(e.id[0]); first < 256; first++ {
			fan[first]++
		}
	}
	var b bytes.Buffer
	b.WriteString("\xfftOc")
	binary.Write(&b, binary.BigEndian, uint32(2))
	binary.Write(&b, binary.BigEndian, fan)
	for _, e := range entries {
		b.Write(e.id[:])
	}
	for _, e := range entries {
		binary.Write(&b, binary.BigEndian, e.crc)
	}
	for _, e := range entries {
		binary.Write(&b, binary.BigEndian, e.offset)
	}
	b.Write(pack[:])
	sum := sha1.Sum(b.Bytes())
	b.Write(sum[:])
	return b.Bytes()
}

// writeWhole writes a file that is there whole or not at all, as long as the
// machine stays up. It doesn't wait for the disk, which can take longer than
// the build; dropDamaged looks after a crash of the machine.
func writeWhole(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "tmp_")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(0o444), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

package git

import (
	"context"
	"fmt"
	"strings"
)

// ReadPullHeads asks the remote which commit each pull request's head is. One
// that the remote doesn't know is not in the map.
func (c *Clone) ReadPullHeads(ctx context.Context, numbers []int) (map[int]string, error) {
	heads := map[int]string{}
	if len(numbers) == 0 {
		return heads, nil
	}
	args := []string{"ls-remote", "--quiet", "--end-of-options", "origin"}
	byRef := map[string]int{}
	for _, n := range numbers {
		ref := fmt.Sprintf("refs/pull/%d/head", n)
		byRef[ref] = n
		args = append(args, ref)
	}
	res, err := c.succeed(ctx, command{network: true, args: args})
	if err != nil {
		return nil, fmt.Errorf("read pull request heads: %w", err)
	}
	for _, line := range strings.Split(string(res.stdout), "\n") {
		id, ref, _ := strings.Cut(line, "\t")
		if n, wanted := byRef[ref]; wanted && isID(id) {
			heads[n] = id
		}
	}
	return heads, nil
}

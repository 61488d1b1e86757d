package queue

import "fmt"

// Buttons on our check say the same words as comments do.

// buttons are those that a pull request's check shows.
func (e *Entry) buttons() []Word {
	switch e.Phase {
	case Asking, Waiting:
		return []Word{WordOut, WordFirst}
	case Testing:
		return []Word{WordOut}
	case Out:
		return []Word{WordRetry}
	}
	return nil
}

func (t *step) lookAtPress(f ButtonHinted) {
	task := ReadPress{Word: f.Word, By: f.By, As: t.reading(f.PR)}
	task.As.Asked = true
	t.do(fmt.Sprintf("press/%d/%s/%d", f.PR, f.Word, f.By.ID), task)
}

// takePress decides as on a comment of now.
func (t *step) takePress(c Command) {
	if c.Pull.Base != t.header.Branch {
		return // another queue's
	}
	c.ID, c.At = 0, t.now
	if c.Word == WordFirst {
		c.Text = "by the button"
	}
	t.obey(c, "button")
}

// kind is that of a wish made by the command. A press has no id of GitHub's.
func (c *Command) kind() WishKind {
	if c.ID != 0 {
		return ByCommand
	}
	c.ID = c.At.UnixMilli()
	return ByButton
}

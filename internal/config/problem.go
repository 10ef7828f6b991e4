package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Scope says how much of a place a mistake takes out of service. A start goes
// on without the lanes and devices that are wrong; check and reload refuse any
// mistake.
type Scope string

// Scopes of a mistake, the widest first.
const (
	ScopePlace  Scope = "place"  // nothing can run
	ScopeLane   Scope = "lane"   // the lane's devices do not run
	ScopeDevice Scope = "device" // the device does not run
	ScopeAdvice Scope = "advice" // everything runs, but surely not as it was meant
)

// Problem is one mistake in a configuration file.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"` // from 1; 0 when the place is not known
	Column  int    `json:"column"`
	Message string `json:"message"`
	Try     string `json:"try,omitempty"`     // what to do next
	Excerpt string `json:"excerpt,omitempty"` // the line with the mistake and a mark below
	Path    string `json:"path,omitempty"`    // the field, such as lanes[0].devices[1].owner
	Scope   Scope  `json:"scope"`
}

// Error is the problem in one line, its excerpt and what to do next below.
func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.Head())
	if p.Excerpt != "" {
		b.WriteString("\n" + p.Excerpt)
	}
	if p.Try != "" {
		b.WriteString("\n  Try: " + p.Try)
	}
	return b.String()
}

// Head is the problem without excerpt and advice.
func (p Problem) Head() string {
	if p.Line > 0 {
		return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
	}
	return p.File + ": " + p.Message
}

// Device tells which device the mistake takes out of service, as indexes into
// the lanes and their devices.
func (p Problem) Device() (lane, device int, ok bool) {
	if p.Scope != ScopeDevice {
		return 0, 0, false
	}
	n, _ := fmt.Sscanf(p.Path, "lanes[%d].devices[%d]", &lane, &device)
	return lane, device, n == 2
}

// Lane tells which lane the mistake takes out of service.
func (p Problem) Lane() (lane int, ok bool) {
	if p.Scope != ScopeLane {
		return 0, false
	}
	n, _ := fmt.Sscanf(p.Path, "lanes[%d]", &lane)
	return lane, n == 1
}

// scopeOf is the scope of a mistake in the field with the given path. Without
// their ids, lanes and devices cannot be told apart.
func scopeOf(path string) Scope {
	var lane, device int
	if n, _ := fmt.Sscanf(path, "lanes[%d].devices[%d]", &lane, &device); n == 2 {
		if path == fmt.Sprintf("lanes[%d].devices[%d].id", lane, device) {
			return ScopeLane
		}
		return ScopeDevice
	}
	if n, _ := fmt.Sscanf(path, "lanes[%d]", &lane); n == 1 && path != fmt.Sprintf("lanes[%d].id", lane) {
		return ScopeLane
	}
	return ScopePlace
}

// Problems are all mistakes of a file, in the order of the file.
type Problems []Problem

// Error lists the problems, one after the other.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Of are the problems with the scope.
func (ps Problems) Of(s Scope) Problems {
	var out Problems
	for _, p := range ps {
		if p.Scope == s {
			out = append(out, p)
		}
	}
	return out
}

// sorted puts the problems in the order of the file, each once.
func (ps Problems) sorted() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int { return cmp.Or(a.Line-b.Line, a.Column-b.Column) })
	return slices.Compact(ps)
}

// Sorted joins lists of problems in the order of the file.
func Sorted(lists ...Problems) Problems { return slices.Concat(lists...).sorted() }

// excerpt shows a line of the file and marks a column of it, both from 1.
func excerpt(lines []string, line, column int) string {
	if line < 1 || line > len(lines) {
		return ""
	}
	number := fmt.Sprintf("%4d | ", line)
	indent := strings.Repeat(" ", len(number)-2) + "| "
	return number + lines[line-1] + "\n" + indent + strings.Repeat(" ", max(column-1, 0)) + "^"
}

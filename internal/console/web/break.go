package web

import (
	"fmt"
	"strings"

	"gatehouse/internal/console/store"
)

// breakWords say how far the record before a new one is held, in a sentence.
func breakWords(p Page, b store.ChainBreak) string {
	said := p.T("break.none")
	if len(b.After) > 0 {
		var held []string
		for _, h := range b.After {
			who := ""
			if h.Agency != "" {
				who = p.T("agency."+string(h.Agency)) + " "
			}
			held = append(held, fmt.Sprintf("%s%s %d", who, p.T("break.upto"), h.Sequence))
		}
		said = p.T("break.after") + " " + strings.Join(held, ", ") + "."
	}
	return fmt.Sprintf("%s %s +07. %s %s %d. %s", p.T("break.began"), p.Full(b.At), said, p.T("break.held"), b.Held, p.T("break.lost"))
}

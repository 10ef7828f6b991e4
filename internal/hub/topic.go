package hub

import (
	"fmt"
	"strings"
)

// topicSubjects are the NATS subjects of an MQTT topic filter, as nats-server
// maps them: / separates tokens, + is one and # any number of them, none
// included. Characters that the mapping bends (a dot becomes two slashes, a
// space is refused at publish) are an error here, where a person reads it.
func topicSubjects(filter string) ([]string, error) {
	if filter == "" || strings.ContainsAny(filter, ". *>\t\r\n\x00") || strings.HasPrefix(filter, "$") {
		return nil, fmt.Errorf("topic %q: want tokens of letters, digits, - and _ between slashes, + for one token, # at the end", filter)
	}
	tokens := strings.Split(filter, "/")
	rest := false
	for i, t := range tokens {
		switch {
		case t == "":
			return nil, fmt.Errorf("topic %q: a token is empty", filter)
		case t == "+" && i > 0: // a wildcard in front would include the server's own subjects
			tokens[i] = "*"
		case t == "#" && i == len(tokens)-1 && i > 0:
			rest = true
		case strings.ContainsAny(t, "+#"):
			return nil, fmt.Errorf("topic %q: + stands alone in its token but the first, # at the end", filter)
		}
	}
	if !rest {
		return []string{strings.Join(tokens, ".")}, nil
	}
	base := strings.Join(tokens[:len(tokens)-1], ".")
	return []string{base, base + ".>"}, nil
}

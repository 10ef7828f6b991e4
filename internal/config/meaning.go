package config

import (
	"fmt"
	"net"
	"net/url"
	"slices"

	"gatehouse/internal/event"
)

// meaning checks what no single field can tell.
func (f *File) meaning() Problems {
	ps := f.agencies()
	ps = append(ps, f.hub()...)
	ps = append(ps, f.fieldUsers()...)
	ps = append(ps, f.names()...)
	lanes := map[string]bool{}
	for i, l := range f.Gate.Lanes {
		if l.ID != "" && lanes[l.ID] {
			ps = append(ps, f.At(fmt.Sprintf("lanes[%d].id", i), "", "lane %s is there twice", l.ID))
		}
		lanes[l.ID] = true
		ps = append(ps, f.lane(i, l)...)
	}
	ps = append(ps, f.lists()...)
	ps = append(ps, f.retention()...)
	return append(ps, f.shared()...)
}

func (f *File) agencies() Problems {
	var ps Problems
	codes, keys, users := map[event.Agency]bool{}, map[string]event.Agency{}, map[string]event.Agency{}
	for i, a := range f.Gate.Agencies {
		at := fmt.Sprintf("agencies[%d]", i)
		if codes[a.Code] {
			ps = append(ps, f.At(at+".code", "", "agency %s is there twice", a.Code))
		}
		codes[a.Code] = true
		try := "each agency's console makes its own: gatehouse-console init"
		if other, taken := keys[a.Key]; taken && a.Key != "" {
			ps = append(ps, f.At(at+".key", try, "%s is the key of %s already", a.Key, other))
		}
		if other, taken := users[a.HubUser]; taken && a.HubUser != "" {
			ps = append(ps, f.At(at+".hub_user", try, "%s is the hub user of %s already", a.HubUser, other))
		}
		if a.Key != "" && a.Key == a.HubUser {
			ps = append(ps, f.At(at+".hub_user", "hub_user is the file that ends in .nkey.pub", "%s is the agency's key already", a.Key))
		}
		keys[a.Key], users[a.HubUser] = a.Code, a.Code
	}
	return ps
}

func (f *File) hub() Problems {
	h := f.Gate.Hub
	var ps Problems
	switch {
	case h.Embedded == nil && h.URL == "":
		return Problems{f.At("hub", "embedded for a hub in this daemon, url for one elsewhere", "the hub needs either url or embedded")}
	case h.Embedded != nil && h.URL != "":
		ps = append(ps, f.At("hub.url", "remove url, or embedded", "the hub has both url and embedded"))
	case h.URL != "":
		if u, err := url.Parse(h.URL); err != nil || u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls" {
			ps = append(ps, f.At("hub.url", "", "url is %q and must be such as tls://hub.example:4222", h.URL))
		}
		return ps
	}
	if h.CA != "" {
		ps = append(ps, f.At("hub.ca", "remove it: it belongs to a hub elsewhere", "ca has no use with an embedded hub"))
	}
	return append(ps, f.embedded(h.Embedded)...)
}

func (f *File) embedded(e *EmbeddedHub) Problems {
	var ps Problems
	switch {
	case e.Certificate != "" && e.Key == "":
		ps = append(ps, f.At("hub.embedded.certificate", "name the certificate's private key, a PEM file, in key", "certificate is set and key is not"))
	case e.Certificate == "" && e.Key != "":
		ps = append(ps, f.At("hub.embedded.key", "name the PEM file of the certificate", "key is set and certificate is not"))
	case e.Certificate == "" && isListen(e.Listen) && !isLoopback(e.Listen):
		ps = append(ps, f.At("hub.embedded.listen", "set certificate and key, or listen on 127.0.0.1 when both consoles run on this machine",
			"the hub listens beyond this machine, on %s, without TLS", e.Listen))
	}
	if f.Gate.Field != nil && clash(e.Listen, f.Gate.Field.Listen) {
		ps = append(ps, f.At("field_mqtt.listen", "give it another port; MQTT is usually on 1883", "%s is taken by the hub, which listens on %s", f.Gate.Field.Listen, e.Listen))
	}
	return ps
}

func isLoopback(listen string) bool {
	host, _, _ := net.SplitHostPort(listen)
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// clash tells whether two listen addresses cannot be open at the same time.
func clash(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB || portA == "0" {
		return false
	}
	all := func(host string) bool { return host == "0.0.0.0" || host == "::" }
	return hostA == hostB || all(hostA) || all(hostB)
}

// names wants both languages where there is a name at all: each is somebody's
// only one.
func (f *File) names() Problems {
	var ps Problems
	check := func(path string, t event.Text) {
		switch {
		case t.VI == "" && t.EN != "":
			ps = append(ps, f.At(path, "", "the name has no Vietnamese text, vi"))
		case t.EN == "" && t.VI != "":
			ps = append(ps, f.At(path, "", "the name has no English text, en"))
		}
	}
	check("name", f.Gate.Name)
	for i, a := range f.Gate.Agencies {
		check(fmt.Sprintf("agencies[%d].name", i), a.Name)
	}
	for i, l := range f.Gate.Lanes {
		check(fmt.Sprintf("lanes[%d].name", i), l.Name)
	}
	return ps
}

// lists checks that who looks vehicles up has lists to look in.
func (f *File) lists() Problems {
	var ps Problems
	used := slices.ContainsFunc(f.Gate.Lanes, func(l Lane) bool { return l.Expected })
	if folder := f.Gate.Expected.Folder; folder != "" && !used {
		p := f.At("expected.folder", "set expected: true in the lanes that use the lists", "no lane looks vehicles up in the lists in %s", folder)
		p.Scope = ScopeAdvice
		ps = append(ps, p)
	}
	for i, l := range f.Gate.Lanes {
		if l.Expected && f.Gate.Expected.Folder == "" {
			ps = append(ps, f.At(fmt.Sprintf("lanes[%d].expected", i), "name the folder of the lists at the top: expected: {folder: ...}",
				"lane %s looks vehicles up, and the place has no folder of lists", l.ID))
		}
	}
	return ps
}

// retention checks that what is kept longest is what others follow from.
func (f *File) retention() Problems {
	j := f.Gate.Journal
	var ps Problems
	if j.IdleMaxAge > j.MaxAge {
		ps = append(ps, f.At("journal.idle_max_age", "", "idle readings would be kept longer (%s) than those that matter (%s, max_age)", Brief(j.IdleMaxAge), Brief(j.MaxAge)))
	}
	if j.SharedMaxAge < j.MaxAge {
		ps = append(ps, f.At("journal.shared_max_age", "", "shared events would go (after %s) before the readings that they follow from (%s, max_age)", Brief(j.SharedMaxAge), Brief(j.MaxAge)))
	}
	r := f.Gate.Retention
	if r.Enough < r.Low {
		ps = append(ps, f.At("retention.enough", "", "making room would end at %s and begin at %s (low)", r.Enough, r.Low))
	}
	if r.Low > 0 && r.Low < j.Reserve {
		ps = append(ps, f.At("retention.low", "", "making room would begin at %s, when nothing is stored any more from %s on (journal.reserve)", r.Low, j.Reserve))
	}
	names := map[string]bool{}
	for i, rule := range r.Rules {
		at := fmt.Sprintf("retention.rules[%d]", i)
		if names[rule.Name] {
			ps = append(ps, f.At(at+".name", "", "rule %s is there twice", rule.Name))
		}
		names[rule.Name] = true
		if rule.Until > 0 && rule.Until < rule.Days {
			ps = append(ps, f.At(at+".until", "", "rule %s would remove after %d days what it keeps for at least %d", rule.Name, rule.Until, rule.Days))
		}
		if rule.Passages == OfClear && len(rule.Severities) > 0 {
			ps = append(ps, f.At(at+".severities", "", "passages without findings have no severity"))
		}
		if rule.Passages != OfDecided && len(rule.Verdicts) > 0 {
			ps = append(ps, f.At(at+".verdicts", "use passages: decided", "passages of this class have no verdict"))
		}
	}
	return ps
}

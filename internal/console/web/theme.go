package web

import (
	"net/http"
	"strings"
	"time"
)

// Theme is how the pages are coloured.
type Theme string

// Themes. The zero value follows the system.
const (
	ThemeAuto  Theme = ""
	ThemeDay   Theme = "day"
	ThemeNight Theme = "night"
)

// themeKey is the cookie that keeps a browser's theme.
const themeKey = "theme"

// Next is the theme that the switch goes to.
func (t Theme) Next() Theme {
	switch t {
	case ThemeAuto:
		return ThemeDay
	case ThemeDay:
		return ThemeNight
	}
	return ThemeAuto
}

// Name is the theme's word for forms and the dictionary.
func (t Theme) Name() string {
	if t == ThemeAuto {
		return "auto"
	}
	return string(t)
}

func themeOf(r *http.Request) Theme {
	c, err := r.Cookie(themeKey)
	if err != nil {
		return ThemeAuto
	}
	switch t := Theme(c.Value); t {
	case ThemeDay, ThemeNight:
		return t
	}
	return ThemeAuto
}

// theme switches the colours and goes back to where the user was.
func (s *Server) theme(w http.ResponseWriter, r *http.Request) {
	t := Theme(r.PostFormValue("theme"))
	if t != ThemeDay && t != ThemeNight {
		t = ThemeAuto
	}
	http.SetCookie(w, &http.Cookie{
		Name: themeKey, Value: string(t), Path: "/", MaxAge: int((365 * 24 * time.Hour).Seconds()),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: s.opt.Secure,
	})
	http.Redirect(w, r, backTo(r), http.StatusSeeOther)
}

// backTo is the page within the console that a form names, or the board.
func backTo(r *http.Request) string {
	back := r.PostFormValue("back")
	if !strings.HasPrefix(back, "/") || strings.HasPrefix(back, "//") || strings.Contains(back, "\\") {
		return "/"
	}
	return back
}

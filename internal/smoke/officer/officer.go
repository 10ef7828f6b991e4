// Package officer uses an agency's console as a browser would: it makes the first
// account, logs in and decides, and finds the passage to decide on.
package officer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"

	"gatehouse/internal/event"
)

// Officer is a person at an agency's console.
type Officer struct {
	agency   event.Agency
	base     string
	client   *http.Client
	login    string
	password string
}

// ErrChanged says that the console refused a form because the record had
// changed meanwhile: nothing was stored and the form may be sent again.
var ErrChanged = errors.New("the console refused the form")

// New makes the first account of a console from its set-up link.
func New(ctx context.Context, a event.Agency, base, link string) (*Officer, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	o := &Officer{
		agency: a, base: base, login: "officer-" + a.Account(), password: "a pass phrase of the officer " + a.Account(),
		client: &http.Client{Jar: jar, Timeout: 15 * time.Second},
	}
	u, err := url.Parse(link)
	if err != nil || u.Query().Get("token") == "" {
		return nil, fmt.Errorf("%q is no set-up link: %w", link, errors.Join(err, errors.New("it has no token")))
	}
	if _, err := o.get(ctx, u.RequestURI()); err != nil {
		return nil, fmt.Errorf("open the set-up link of %s: %w", a, err)
	}
	form := url.Values{
		"token": {u.Query().Get("token")}, "login": {o.login}, "name": {"Officer"},
		"password": {o.password}, "repeat": {o.password},
	}
	if _, err := o.post(ctx, "/setup", form); err != nil {
		return nil, fmt.Errorf("make the first account of %s: %w", a, err)
	}
	return o, o.LogIn(ctx)
}

// LogIn logs in anew, with an empty cookie jar.
func (o *Officer) LogIn(ctx context.Context) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	o.client.Jar = jar
	body, err := o.post(ctx, "/login", url.Values{"login": {o.login}, "password": {o.password}})
	if err != nil {
		return fmt.Errorf("log in at %s: %w", o.agency, err)
	}
	if strings.Contains(body, `name="password"`) {
		return fmt.Errorf("log in at %s: the console shows the log-in page again", o.agency)
	}
	return nil
}

// Decide gives a verdict through the form on a passage's page.
func (o *Officer) Decide(ctx context.Context, passage event.ID, alert event.ID, code event.VerdictCode, reason string) error {
	page, err := o.get(ctx, "/passages/"+string(passage))
	if err != nil {
		return fmt.Errorf("open passage %s at %s: %w", passage, o.agency, err)
	}
	if strings.Contains(page, `name="password"`) { // the session did not survive
		return errors.Join(fmt.Errorf("%s wants a new log-in", o.agency), o.LogIn(ctx))
	}
	form := url.Values{"code": {string(code)}, "reason": {reason}, "about": {string(alert)}}
	for _, name := range []string{"version", "sequence"} {
		value, found := hidden(page, name)
		if !found {
			return fmt.Errorf("the page of passage %s at %s has no field %q", passage, o.agency, name)
		}
		form.Set(name, value)
	}
	page, err = o.post(ctx, "/passages/"+string(passage)+"/verdict", form)
	if err != nil {
		return fmt.Errorf("give a verdict on %s at %s: %w", passage, o.agency, err)
	}
	if !strings.Contains(page, reason) {
		return fmt.Errorf("the page of passage %s at %s does not show the verdict that was just given", passage, o.agency)
	}
	return nil
}

// input finds the tags of a form's fields.
var input = regexp.MustCompile(`<input[^>]*>`)

// hidden is the value of a form's field.
func hidden(page, name string) (string, bool) {
	for _, tag := range input.FindAllString(page, -1) {
		if !strings.Contains(tag, fmt.Sprintf(`name="%s"`, name)) {
			continue
		}
		if _, rest, found := strings.Cut(tag, `value="`); found {
			value, _, _ := strings.Cut(rest, `"`)
			return value, true
		}
	}
	return "", false
}

func (o *Officer) get(ctx context.Context, path string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, o.base+path, nil)
	if err != nil {
		return "", err
	}
	return o.do(r)
}

func (o *Officer) post(ctx context.Context, path string, form url.Values) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, o.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return o.do(r)
}

func (o *Officer) do(r *http.Request) (string, error) {
	resp, err := o.client.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	if resp.StatusCode == http.StatusUnprocessableEntity {
		return "", ErrChanged
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s %s: %s", r.Method, r.URL.Path, resp.Status)
	}
	return string(body), nil
}

// Newest is the newest passage that an agency's store holds and that has closed,
// with an alert on it if there is one; empty when there is none.
func Newest(ctx context.Context, db *sql.DB) (passage, alert event.ID, err error) {
	rows, err := db.QueryContext(ctx, `SELECT p.id, coalesce((SELECT a.id FROM alerts a WHERE a.passage = p.id
			AND a.msg_type = 'Alert' AND NOT EXISTS (SELECT 1 FROM alert_references r WHERE r.refers = a.id) ORDER BY a.id LIMIT 1), '')
		FROM passages p WHERE p.state IN ('closed', 'waiting') ORDER BY p.state, p.opened_at DESC LIMIT 1`)
	if err != nil {
		return "", "", err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&passage, &alert); err != nil {
			return "", "", err
		}
	}
	return passage, alert, rows.Err()
}

// Stored says whether a verdict is in the agency's own outbox or record.
func Stored(ctx context.Context, db *sql.DB, reason string) bool {
	var n int
	err := db.QueryRowContext(ctx, `SELECT
		(SELECT count(*) FROM outbox WHERE instr(CAST(data AS TEXT), ?1) > 0) + (SELECT count(*) FROM verdicts WHERE reason = ?1)`, reason).Scan(&n)
	return err == nil && n > 0
}

package web

import (
	"net/http"

	"gatehouse/internal/console/private"
)

// Route is a page or an action of the console and what it takes to use it.
type Route struct {
	Pattern string // as net/http's ServeMux has it
	// Right is what a user must have; "" where nobody needs to be logged in.
	Right private.Right
}

// routes is where handlers are registered. There are two ways in, so that a
// page cannot be added without saying who may see it: with a right, or open to
// whoever reaches the console.
type routes struct {
	s    *Server
	mux  *http.ServeMux
	list []Route
}

// with registers a page for users who have a right. Without one, nobody gets
// through.
func (x *routes) with(right private.Right, pattern string, h userHandler) {
	x.list = append(x.list, Route{pattern, right})
	x.mux.Handle(pattern, x.s.user(right, h))
}

// open registers a page that is shown before log-in.
func (x *routes) open(pattern string, h http.HandlerFunc) {
	x.list = append(x.list, Route{Pattern: pattern})
	x.mux.HandleFunc(pattern, h)
}

// Routes lists all pages and actions that users reach, with their rights.
func (s *Server) Routes() []Route { return s.site().list }

// site registers every page.
func (s *Server) site() *routes {
	x := &routes{s: s, mux: http.NewServeMux()}
	x.open("GET /login", s.loginPage)
	x.open("POST /login", s.login)
	x.open("GET /setup", s.setupPage)
	x.open("POST /setup", s.setup)
	x.open("POST /language", s.language)
	x.open("POST /theme", s.theme)
	x.with(private.Own, "POST /logout", s.logout)
	x.with(private.Own, "GET /account", s.account)
	x.with(private.Own, "POST /account/password", s.changePassword)

	x.with(private.See, "GET /{$}", s.board)
	x.with(private.See, "GET /alerts", s.alerts)
	x.with(private.See, "GET /passages/{id}", s.passage)
	x.with(private.See, "GET /passages/{id}/pictures/{digest}", s.picture)
	x.with(private.Export, "GET /passages/{id}/scans/{digest}/report", s.exportReport)
	x.with(private.Decide, "POST /alerts/{id}/ack", s.acknowledge)
	x.with(private.Documents, "POST /passages/{id}/documents", s.documents)
	x.with(private.Decide, "POST /passages/{id}/verdict", s.decide)
	x.with(private.Correct, "POST /passages/{id}/correct", s.correct)
	x.with(private.Hold, "POST /passages/{id}/hold", s.hold)
	x.with(private.Correct, "POST /passages", s.enterByHand)
	x.with(private.Decide, "POST /passages/{id}/notes", s.addNote)
	x.with(private.See, "GET /evidence/{digest}", s.evidence)
	x.with(private.See, "GET /evidence/{digest}/{form}", s.evidence)
	x.with(private.Devices, "GET /status", s.status)
	x.with(private.See, "GET /search", s.search)
	x.with(private.Export, "GET /search/export", s.exportSearch)

	x.with(private.Devices, "GET /devices", s.devices)
	x.with(private.Devices, "GET /devices/{gate}/{lane}/{device}", s.device)
	x.with(private.Control, "GET /control/{gate}/{lane}/{device}/{verb}", s.confirmControl)
	x.with(private.Control, "POST /control/{gate}/{lane}/{device}", s.control)
	x.with(private.Audit, "GET /audit", s.audit)
	x.with(private.Audit, "POST /audit/verify", s.verifyAudit)
	x.with(private.Audit, "GET /audit/export", s.exportAudit)
	x.with(private.Users, "GET /users", s.users)
	x.with(private.Users, "POST /users", s.invite)
	x.with(private.Users, "POST /users/{id}/reset", s.resetUser)
	x.with(private.Users, "POST /users/{id}/role", s.setRole)
	x.with(private.Users, "POST /users/{id}/disable", s.disableUser)
	x.with(private.Users, "POST /users/{id}/enable", s.enableUser)
	x.with(private.Trials, "GET /trials", s.trials)
	x.with(private.Trials, "POST /trials", s.switchTrials)
	x.with(private.Trials, "GET /trials/{id}/report", s.trialReport)
	x.with(private.Own, "GET /", s.nowhere)
	return x
}

// Package control is how technicians talk to a running daemon: JSON over HTTP on
// a unix socket in the state folder that only the daemon's own user can open.
package control

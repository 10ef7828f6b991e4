// Package intake takes an X-ray scan as a scanner left it: the view's file, the
// file of its other energy, and the sidecar that describes both.
package intake

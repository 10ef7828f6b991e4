// Package accuracy measures the analyses on real images with truth. It holds
// tests only: go test -v ./internal/vision/accuracy prints the figures on a
// sample, and GATEHOUSE_ACCURACY=full takes every image.
package accuracy

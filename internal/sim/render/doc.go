// Package render draws what the simulated lane's instruments see: photos of
// lorries with their plates, and X-ray images of lorries with their loads.
// Everything follows from the seed it is given.
package render

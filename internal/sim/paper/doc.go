// Package paper makes what drivers and travellers hand over: travel documents
// with their machine-readable zones, the QR code of Vietnamese identity cards,
// container numbers, declaration numbers and baggage tags. All of it is
// fictional; the layouts are those of ICAO Doc 9303, ISO 6346 and IATA 740.
package paper

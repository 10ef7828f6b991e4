// Package lane runs a lane: it supervises the devices' drivers, puts what they
// say into the journal, folds the journal into passages, and carries out what
// the fold asks for: events to share, pictures to analyse, timers to set.
//
// Everything goes through the journal first. The live path and the replay
// after a crash are the same: a Lane only ever sees entries that are on disk,
// in their order, and what it does because of them may be done twice without
// harm, because every derived event has a derived id.
package lane

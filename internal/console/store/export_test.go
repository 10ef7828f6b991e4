package store

// SetReplayStep makes the steps of a rebuild so small that a few events need
// several.
func (s *Store) SetReplayStep(events int) { s.replayStep = events }

// Package tracks follows plates through pictures of one camera and puts what was
// read on them to a vote: a text that most of the good pictures show is surer
// than any one of them. It is pure: the same sights give the same result.
package tracks

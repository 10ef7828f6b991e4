// Package vision is the daemon's side of image analysis: a pool of worker
// processes that are killed when they hang, grow or die, and a judgement of
// who is at fault when they do.
//
// An image that kills a worker twice while the worker's built-in canary passes
// is unreadable: the image is at fault and becomes a finding. When the canary
// fails too, or no worker starts, vision is unavailable: that is a matter of
// coverage, images wait and the lane goes on.
package vision

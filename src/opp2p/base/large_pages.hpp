// Large pages for the heap of a program that soon has hundreds of megabytes in small pieces. Waits for the processor's
// table of pages are a fifth of the time of a simulated network of 1,000 nodes. glibc asks for large pages only when
// the environment says so before the program starts; this function reserves the first 1.5 GiB of the heap in one piece
// and asks for that.
//
// Thread: the main one, whose heap it is. Bounds: addresses of 1.5 GiB; memory is taken when it is used. What is freed
// is kept for later allocations until the process ends.
#pragma once

namespace opp2p {

// Does nothing where the system has no such pages, or no room for the heap.
void use_large_pages();

}  // namespace opp2p

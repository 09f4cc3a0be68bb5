// Carries the precompiled headers (CMakeLists.txt beside it); there is nothing else in it.

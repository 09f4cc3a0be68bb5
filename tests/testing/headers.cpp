// Carries the precompiled headers of the tests (cmake/Compiler.cmake); a program without tests.

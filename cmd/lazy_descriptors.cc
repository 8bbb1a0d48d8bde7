// Keeps nsctl from registering the descriptors of all its messages before main, which takes longer
// than many a command: the protobuf library registers those of a file, and of what that imports,
// when one of its messages is first asked about itself.
//
// The linker puts this in place of the constructor that every generated file calls (--wrap). What
// is lost is to find messages by name in the generated pool before any of them was asked.

extern "C" {
// NOLINTNEXTLINE(bugprone-reserved-identifier): the linker's name.
void __wrap__ZN6google8protobuf8internal20AddDescriptorsRunnerC1EPKNS1_15DescriptorTableE(
    void* /*runner*/, const void* /*table*/) {}
}

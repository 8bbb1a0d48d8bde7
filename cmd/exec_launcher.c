// The last program of ours that runs before a command of `nsctl exec` does, in a few hundred bytes.
//
// Whoever owns the other root may have made the command's interpreter "/proc/self/exe", which is
// the program that calls execve(2). If that were the nsctl binary, it would run among them, and
// they could open it by /proc/PID/exe and overwrite it. So nsctl first becomes this program, in a
// sealed memfd, which nobody can write to and nobody else runs from.
//
//   LAUNCHER REPORT PATH SHELL ARGUMENT...
//
// Executes PATH with the arguments. REPORT is the number of a descriptor that is closed by that;
// where it fails, errno goes there as an int. What has no interpreter is given to SHELL, as
// execvp(3) does. No C library: it starts at _start and makes three system calls.

#if defined(__x86_64__)

enum { kWrite = 1, kFcntl = 72, kExecve = 59, kExitGroup = 231 };

static long Call(long number, long a, long b, long c) {
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c)
                   : "rcx", "r11", "memory");
  return result;
}

__asm__(
    ".globl _start\n"
    "_start:\n"
    "  mov %rsp, %rdi\n"
    "  and $-16, %rsp\n"
    "  call Launch\n");

#elif defined(__aarch64__)

enum { kWrite = 64, kFcntl = 25, kExecve = 221, kExitGroup = 94 };

static long Call(long number, long a, long b, long c) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
  return x0;
}

__asm__(
    ".globl _start\n"
    "_start:\n"
    "  mov x0, sp\n"
    "  bl Launch\n");

#else
#error "write the system call of this architecture"
#endif

enum { kArguments = 4 };
enum { kSetFdFlags = 2, kCloseOnExec = 1, kNoExec = 8 };

// `stack` is what the kernel passes to a program: argc, the arguments, 0, the environment, 0.
__attribute__((used)) void Launch(long* stack) {
  long argc = stack[0];
  char** argv = (char**)(stack + 1);
  char** environment = argv + argc + 1;
  long report = 0;
  int error;
  // Somebody else has made it an interpreter.
  if (argc < kArguments + 1) Call(kExitGroup, 127, 0, 0);
  for (const char* digit = argv[1]; *digit != 0; ++digit) report = report * 10 + (*digit - '0');
  Call(kFcntl, report, kSetFdFlags, kCloseOnExec);
  error = (int)-Call(kExecve, (long)argv[2], (long)(argv + kArguments), (long)environment);
  if (error == kNoExec) {
    argv[kArguments] = argv[2];
    error = (int)-Call(kExecve, (long)argv[3], (long)(argv + 3), (long)environment);
  }
  Call(kWrite, report, (long)&error, sizeof(error));
  Call(kExitGroup, 127, 0, 0);
  for (;;) {
  }
}

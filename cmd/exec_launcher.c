// The last program of ours that runs before a command of `nsctl exec` does, in about a kilobyte.
//
// Whoever owns the other root may have made the command's interpreter "/proc/self/exe", which is
// the program that calls execve(2). If that were the nsctl binary, it would run among them, and
// they could open it by /proc/PID/exe and overwrite it. So nsctl first becomes this program, in a
// sealed memfd, which nobody can write to and nobody else runs from. Where a PID namespace is
// entered it does so outside, and this program makes the process inside: nothing of nsctl's, its
// memory and its descriptors neither, is ever seen there. As nobody can read the file
// (exec_launcher.h), nobody there can hold this process either, or put words into its mouth.
//
//   LAUNCHER REPORT ANSWER MODE PATH SHELL ARGUMENT...
//
// Executes PATH with the arguments. REPORT is the number of a descriptor that is closed by that: 0
// goes there as an int just before, and errno where it failed. Where REPORT is "-" nobody is left
// to read it, and standard error says so. What has no interpreter is given to SHELL, as execvp(3)
// does. If ANSWER is a number and not "-", an int goes there first: 0, or where MODE has "s" the
// PID of a sibling that does all of that, or minus errno. MODE has "f" where the first process of a
// PID namespace makes the command a child of its own (pid_namespaces(7)): signals without handlers
// do not reach a first process and nobody else would reap orphans; and "t" where standard input is
// to become the controlling terminal. No C library: it starts at _start.

#if defined(__x86_64__)

enum {
  kRead = 0,
  kWrite = 1,
  kClose = 3,
  kSignalMask = 14,
  kIoctl = 16,
  kGetPid = 39,
  kClone = 56,
  kExecve = 59,
  kWait = 61,
  kKill = 62,
  kFcntl = 72,
  kSetSid = 112,
  kSignalWait = 128,
  kPrctl = 157,
  kExitGroup = 231,
  kPipe = 293,
  kCloseRange = 436,
};

static long Call4(long number, long a, long b, long c, long d) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = 0;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
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

enum {
  kFcntl = 25,
  kIoctl = 29,
  kClose = 57,
  kPipe = 59,
  kRead = 63,
  kWrite = 64,
  kExitGroup = 94,
  kKill = 129,
  kSignalMask = 135,
  kSignalWait = 137,
  kSetSid = 157,
  kPrctl = 167,
  kGetPid = 172,
  kClone = 220,
  kExecve = 221,
  kWait = 260,
  kCloseRange = 436,
};

static long Call4(long number, long a, long b, long c, long d) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = 0;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
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

enum { kName, kReport, kAnswer, kMode, kPath, kShell, kArguments };
enum { kStandardError = 2, kFirstOwnDescriptor = 3 };
enum { kNotExecutable = 126, kNotFound = 127, kSignalBase = 128 };
// Of the kernel.
enum { kSetFdFlags = 2, kCloseOnExecFd = 1, kCloseOnExec = 02000000 };
enum { kNoEntry = 2, kNoExec = 8, kNotDirectory = 20 };
enum {
  kCloneParent = 0x8000,
  kSetDeathSignal = 1,
  kSetDumpable = 4,
  kSetMask = 2,
  kNoHang = 1,
  kSetTerminal = 0x540e
};
enum { kSigKill = 9, kSigChild = 17, kSignalSetSize = 8 };

static long Call(long number, long a, long b, long c) { return Call4(number, a, b, c, 0); }

static void Exit(int status) {
  for (;;) Call(kExitGroup, status, 0, 0);
}

// nsctl gives its name; whoever made this an interpreter gives another one.
static int IsLaunched(long argc, char** argv) {
  const char* wanted = "nsctl-launcher";
  const char* name = argv[kName];
  if (argc <= kArguments) return 0;
  for (; *wanted != 0 && *name == *wanted; ++name) ++wanted;
  return *name == *wanted;
}

static long Number(const char* digit) {
  long number = 0;
  for (; *digit != 0; ++digit) number = number * 10 + (*digit - '0');
  return number;
}

static int Has(const char* mode, char wanted) {
  for (; *mode != 0; ++mode) {
    if (*mode == wanted) return 1;
  }
  return 0;
}

// Returns in the sibling, which is in the PID namespace. It begins once nsctl knows of it, and ends
// with nsctl.
static void GoInside(long answer) {
  int gate[2] = {-1, -1};
  char go = 0;
  int pid = (int)Call(kPipe, (long)gate, kCloseOnExec, 0);
  if (pid == 0) pid = (int)Call(kClone, kCloneParent, 0, 0);
  if (pid == 0) {
    Call(kClose, answer, 0, 0);
    Call(kClose, gate[1], 0, 0);
    Call(kPrctl, kSetDeathSignal, kSigKill, 0);
    if (Call(kRead, gate[0], (long)&go, 1) != 1) Exit(1);
    Call(kClose, gate[0], 0, 0);
    return;
  }
  if (Call(kWrite, answer, (long)&pid, sizeof(pid)) != sizeof(pid) || pid < 0) Exit(1);
  Exit(Call(kWrite, gate[1], (long)&go, 1) == 1 ? 0 : 1);
}

static void Stay(long answer) {
  const int same = 0;
  Call(kWrite, answer, (long)&same, sizeof(same));
  Call(kClose, answer, 0, 0);
}

// Reaps whatever ends in the namespace, and passes every signal on to `command` until that ends:
// what is left in the namespace ends with its first process.
static void AwaitCommand(long command) {
  const unsigned long all = ~0UL;
  // Pipes end when their last writer does, which must not be this process.
  Call(kCloseRange, kFirstOwnDescriptor, 0xffffffffL, 0);
  for (;;) {
    int status = 0;
    long signal, ended;
    while ((ended = Call(kWait, -1, (long)&status, kNoHang)) > 0) {
      if (ended != command) continue;
      signal = status & 0x7f;
      Exit(signal != 0 ? kSignalBase + (int)signal : status >> 8 & 0xff);
    }
    signal = Call4(kSignalWait, (long)&all, 0, 0, kSignalSetSize);
    if (signal > 0 && signal != kSigChild) Call(kKill, command, signal, 0);
  }
}

// Returns in the command's process; its errno where there is none.
static long BeFirstProcess(void) {
  // Signals that are blocked reach a first process, whatever their handlers are.
  const unsigned long all = ~0UL;
  unsigned long before = 0;
  long command;
  Call4(kSignalMask, kSetMask, (long)&all, (long)&before, kSignalSetSize);
  command = Call(kClone, kSigChild, 0, 0);
  if (command > 0) AwaitCommand(command);
  Call4(kSignalMask, kSetMask, (long)&before, 0, kSignalSetSize);
  return -command;
}

// As ExecFailure (exec_child.h) for kOwn.
struct Failure {
  int kind;
  int error;
  char step[48];
};

static void Fail(long report, long error, const char* step) {
  struct Failure failure;
  char* end = (char*)(&failure + 1);
  for (char* byte = (char*)&failure; byte < end; ++byte) {
    *byte = 0;
    // The compiler would call the C library's memset.
    __asm__ volatile("" : : : "memory");
  }
  failure.error = (int)error;
  for (char* to = failure.step; *step != 0; ++step) *to++ = *step;
  Call(kWrite, report, (long)&failure, sizeof(failure));
  Exit(1);
}

static void TakeTerminal(long report) {
  long error = -Call(kSetSid, 0, 0, 0);
  if (error > 0) Fail(report, error, "setsid");
  error = -Call(kIoctl, 0, kSetTerminal, 0);
  if (error > 0) Fail(report, error, "take the terminal");
}

// Tells of an errno where nobody reads it from a descriptor.
static void Complain(int error) {
  static const char kText[] = "nsctl: exec: the command cannot be executed: error ";
  char digits[4] = {0, 0, 0, '\n'};
  int first = sizeof(digits) - 1;
  for (int rest = error; first > 0 && rest > 0; rest /= 10)
    digits[--first] = (char)('0' + rest % 10);
  Call(kWrite, kStandardError, (long)kText, sizeof(kText) - 1);
  Call(kWrite, kStandardError, (long)(digits + first), (long)sizeof(digits) - first);
}

static void Execute(long report, char** argv, char** environment) {
  const int begin = 0;
  int error;
  if (report >= 0) Call(kWrite, report, (long)&begin, sizeof(begin));
  error = (int)-Call(kExecve, (long)argv[kPath], (long)(argv + kArguments), (long)environment);
  if (error == kNoExec) {
    argv[kArguments] = argv[kPath];
    error = (int)-Call(kExecve, (long)argv[kShell], (long)(argv + kShell), (long)environment);
  }
  if (report >= 0) {
    Call(kWrite, report, (long)&error, sizeof(error));
  } else {
    Complain(error);
  }
  Exit(error == kNoEntry || error == kNotDirectory ? kNotFound : kNotExecutable);
}

// `stack` is what the kernel passes to a program: argc, the arguments, 0, the environment, 0.
__attribute__((used)) void Launch(long* stack) {
  static const char kRefusal[] = "nsctl: exec: /proc/self/exe is no command there\n";
  long argc = stack[0];
  char** argv = (char**)(stack + 1);
  long report, error;
  // For whoever can read the file all the same. Ends with the next program.
  Call(kPrctl, kSetDumpable, 0, 0);
  if (!IsLaunched(argc, argv)) {
    Call(kWrite, kStandardError, (long)kRefusal, sizeof(kRefusal) - 1);
    Exit(kNotFound);
  }
  report = argv[kReport][0] == '-' ? -1 : Number(argv[kReport]);
  if (report >= 0) Call(kFcntl, report, kSetFdFlags, kCloseOnExecFd);
  if (argv[kAnswer][0] != '-') {
    const long answer = Number(argv[kAnswer]);
    Has(argv[kMode], 's') ? GoInside(answer) : Stay(answer);
  }
  if (Has(argv[kMode], 'f') && Call(kGetPid, 0, 0, 0) == 1) {
    error = BeFirstProcess();
    if (error > 0) Fail(report, error, "fork");
  }
  if (Has(argv[kMode], 't')) TakeTerminal(report);
  Execute(report, argv, argv + argc + 1);
}

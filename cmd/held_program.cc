// A process for tests, of which nothing can be read: held_program FILE opens FILE, whose
// server answers nothing more, and waits for it in execve(2).

#include <fcntl.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  // Closed by the kernel in the middle of execve(2), which asks the server.
  if (open(argv[1], O_RDONLY | O_CLOEXEC) < 0) return 1;
  execl("/bin/sleep", "sleep", "1000", static_cast<char*>(nullptr));
  return 1;
}

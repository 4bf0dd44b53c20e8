// The first process of an emulated machine: sets the machine up for the tests, runs the commands of
// the plan on the disk, writes a report to the second serial line, and switches the machine off.
//
// The program is statically linked. The initramfs contains only the program and the modules:
//   /init, /modules/NN_name.ko
// The disk (ext4, /dev/vda) becomes the root, with the programs, their libraries and /plan. A line
// of the plan has a name, a limit in seconds and a command, separated by spaces. The second serial
// line carries "@@ kernel RELEASE" first, then for each line of the plan
//   @@ begin NAME
//   (the output of the command)
//   @@ end NAME exit CODE | signal NUMBER | timeout
// and after the last one "@@ done". Any other line that begins with @@ describes an error.

#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

constexpr auto kPoll = std::chrono::milliseconds(20);
constexpr seconds kDiskTimeout(60);
constexpr char kReportLine[] = "/dev/ttyS1";

[[noreturn]] void SwitchOff() {
  std::fflush(stdout);
  tcdrain(STDOUT_FILENO);
  sync();
  reboot(RB_POWER_OFF);
  for (;;) pause();
}

void Require(bool condition, const std::string& what) {
  if (condition) return;
  std::printf("@@ broken %s: %s\n", what.c_str(), std::strerror(errno));
  SwitchOff();
}

void Mount(const char* source, const char* target, const char* type, unsigned long flags = 0) {
  mkdir(target, 0755);
  Require(mount(source, target, type, flags, nullptr) == 0, std::string("mount ") + target);
}

void OpenReportLine() {
  const int fd = open(kReportLine, O_RDWR | O_NOCTTY);
  if (fd < 0) SwitchOff();
  termios mode{};
  tcgetattr(fd, &mode);
  cfmakeraw(&mode);
  cfsetspeed(&mode, B115200);
  tcsetattr(fd, TCSANOW, &mode);
  dup2(fd, STDIN_FILENO);
  dup2(fd, STDOUT_FILENO);
  dup2(fd, STDERR_FILENO);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
}

void LoadModules() {
  std::vector<std::filesystem::path> modules;
  for (const auto& entry : std::filesystem::directory_iterator("/modules"))
    modules.push_back(entry.path());
  std::sort(modules.begin(), modules.end());
  for (const auto& module : modules) {
    const int fd = open(module.c_str(), O_RDONLY | O_CLOEXEC);
    const bool loaded = fd >= 0 && (syscall(SYS_finit_module, fd, "", 0) == 0 || errno == EEXIST);
    Require(loaded, "load " + module.string());
    close(fd);
  }
}

// The driver finds the disk some time after it was loaded and does not report when.
void EnterDisk() {
  const Clock::time_point deadline = Clock::now() + kDiskTimeout;
  while (access("/dev/vda", F_OK) != 0 && Clock::now() < deadline)
    std::this_thread::sleep_for(kPoll);
  Mount("/dev/vda", "/disk", "ext4");
  for (const char* folder : {"/dev", "/proc", "/sys"})
    Require(mount(folder, (std::string("/disk") + folder).c_str(), nullptr, MS_MOVE, nullptr) == 0,
            std::string("move ") + folder);
  Require(chroot("/disk") == 0 && chdir("/") == 0, "chroot");
  Mount("shm", "/dev/shm", "tmpfs");
}

void BringUpLoopback() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::strncpy(request.ifr_name, "lo", IFNAMSIZ - 1);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  Require(ioctl(fd, SIOCSIFFLAGS, &request) == 0, "loopback");
  close(fd);
}

// The soft limit is that of a systemd service. The hard limit lets the tests raise it.
void SetLimits() {
  const rlimit memlock{.rlim_cur = 8 << 20, .rlim_max = RLIM_INFINITY};
  const rlimit files{.rlim_cur = 1024, .rlim_max = 65536};
  Require(setrlimit(RLIMIT_MEMLOCK, &memlock) == 0 && setrlimit(RLIMIT_NOFILE, &files) == 0,
          "limits");
}

struct Step {
  std::string name;
  seconds limit{0};
  std::vector<std::string> command;
};

std::vector<Step> ReadPlan() {
  std::vector<Step> plan;
  std::ifstream file("/plan");
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    Step step;
    long limit = 0;
    fields >> step.name >> limit;
    step.limit = seconds(limit);
    for (std::string argument; fields >> argument;) step.command.push_back(argument);
    if (!step.command.empty()) plan.push_back(step);
  }
  Require(!plan.empty(), "plan");
  return plan;
}

[[noreturn]] void Execute(const Step& step) {
  setsid();
  std::vector<char*> arguments;
  for (const std::string& argument : step.command)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  std::printf("%s: %s\n", arguments[0], std::strerror(errno));
  std::fflush(stdout);
  _exit(127);
}

// The kernel makes the first process the parent of orphans, so it must wait for them too.
std::string WaitFor(pid_t child, seconds limit) {
  const Clock::time_point deadline = Clock::now() + limit;
  bool timed_out = false;
  for (;;) {
    int status = 0;
    const pid_t ended = waitpid(-1, &status, WNOHANG);
    if (ended == child) {
      kill(-child, SIGKILL);
      if (timed_out) return "timeout";
      if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
      return "exit " + std::to_string(WEXITSTATUS(status));
    }
    if (ended > 0) continue;
    if (!timed_out && Clock::now() > deadline) {
      timed_out = true;
      kill(-child, SIGKILL);
    }
    std::this_thread::sleep_for(kPoll);
  }
}

void Run(const Step& step) {
  std::printf("@@ begin %s\n", step.name.c_str());
  std::fflush(stdout);
  const pid_t child = fork();
  Require(child >= 0, "fork");
  if (child == 0) Execute(step);
  const std::string ending = WaitFor(child, step.limit);
  std::printf("\n@@ end %s %s\n", step.name.c_str(), ending.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  if (getpid() != 1) {
    std::fprintf(stderr, "%s runs only as the first process of an emulated machine\n",
                 argc > 0 ? argv[0] : "this");
    return 1;
  }
  mkdir("/dev", 0755);
  mount("devtmpfs", "/dev", "devtmpfs", 0, nullptr);
  OpenReportLine();
  Mount("proc", "/proc", "proc");
  Mount("sysfs", "/sys", "sysfs");
  utsname kernel{};
  uname(&kernel);
  std::printf("\n@@ kernel %s\n", kernel.release);
  LoadModules();
  EnterDisk();
  BringUpLoopback();
  SetLimits();
  setenv("PATH", "/usr/bin:/bin", 1);
  setenv("TERM", "dumb", 1);
  setenv("TEST_TMPDIR", "/work", 1);
  for (const Step& step : ReadPlan()) Run(step);
  std::printf("@@ done\n");
  SwitchOff();
}

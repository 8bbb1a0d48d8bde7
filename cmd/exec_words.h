// The command line of `nsctl exec`, taken apart before its options are parsed: it holds another
// command line, and short options as nsenter knows them.

#ifndef NSCTL_CMD_EXEC_WORDS_H_
#define NSCTL_CMD_EXEC_WORDS_H_

#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "absl/types/span.h"

namespace nsctl::cmd {

struct ExecWords {
  // Options, by their long names where they were given by short ones, and targets.
  std::vector<std::string> options;
  // The command with its arguments; empty where there is none.
  std::vector<std::string> command;
  // Why the words could mean something else than they say; empty where they could not.
  std::string problem = "";

  friend bool operator==(const ExecWords&, const ExecWords&) = default;
};

// `app` knows the options. The command is what follows "--"; without that, what follows the target
// from the first word on that does not begin with "-". With --each every such word is a target, and
// with --gons-env none is, nor is one that has no form of a target where files name all that is
// entered.
//
//   -n/run/x -n=/run/x  --net=/run/x      an option whose value may be left out takes none from the
//   -nnet:[5]           --net=net:[5]
//   -n 7                --net 7           next word, and none that could be more options
//   -mn                 --mount --net
//   -it                 --tty=always
//   -t 7 -t7 --target=7 7                 nsenter's
//   -t web              --tty=auto web    everybody else's
//   -i -t               a problem         others' "-it", which -i alone is not
//   -e A=b  --env A=b   --env=A=b         others' "-e", and ours
//   -e  --env           --target-env      nsenter's
//
// Words that no option is known for stay as they are.
ExecWords SplitExecWords(const CLI::App& app, absl::Span<const std::string> words);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_EXEC_WORDS_H_

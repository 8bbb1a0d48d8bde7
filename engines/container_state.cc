#include "engines/container_state.h"

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace nsctl::engines {
namespace {

struct Word {
  const char* word;
  Container::State state;
};

struct Number {
  int64_t number;
  Container::State state;
};

constexpr Word kDocker[] = {
    {"created", Container::created}, {"running", Container::running},
    {"paused", Container::paused},   {"restarting", Container::restarting},
    {"removing", Container::dead},   {"exited", Container::exited},
    {"dead", Container::dead},
};

constexpr Word kPodman[] = {
    {"created", Container::created},     {"configured", Container::created},
    {"initialized", Container::created}, {"running", Container::running},
    {"paused", Container::paused},       {"stopping", Container::stopping},
    {"stopped", Container::exited},      {"exited", Container::exited},
    {"removing", Container::dead},
};

constexpr Number kContainerd[] = {
    {1, Container::created}, {2, Container::running}, {3, Container::exited},
    {4, Container::paused},  {5, Container::pausing},
};

constexpr Number kCri[] = {
    {0, Container::created},
    {1, Container::running},
    {2, Container::exited},
};

constexpr Number kIncus[] = {
    {102, Container::exited},   {103, Container::running}, {106, Container::starting},
    {107, Container::stopping}, {108, Container::dead},    {109, Container::pausing},
    {110, Container::paused},   {111, Container::running}, {112, Container::dead},
    {113, Container::running},
};

constexpr Number kLxc[] = {
    {0, Container::exited},   {1, Container::starting}, {2, Container::running},
    {3, Container::stopping}, {4, Container::stopping}, {5, Container::pausing},
    {6, Container::paused},   {7, Container::running},
};

Container::State Find(absl::Span<const Word> table, absl::string_view word) {
  for (const Word& row : table) {
    if (word == row.word) return row.state;
  }
  return Container::unknown;
}

Container::State Find(absl::Span<const Number> table, int64_t number) {
  for (const Number& row : table) {
    if (number == row.number) return row.state;
  }
  return Container::unknown;
}

}  // namespace

Container::State StateFromDocker(absl::string_view status) { return Find(kDocker, status); }
Container::State StateFromPodman(absl::string_view status) { return Find(kPodman, status); }
Container::State StateFromContainerd(int64_t status) { return Find(kContainerd, status); }
Container::State StateFromCri(int64_t state) { return Find(kCri, state); }
Container::State StateFromIncus(int64_t status_code) { return Find(kIncus, status_code); }
Container::State StateFromLxc(int64_t state) { return Find(kLxc, state); }

}  // namespace nsctl::engines

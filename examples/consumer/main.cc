#include <iostream>

#include "absl/strings/str_cat.h"

int main() {
  std::cout << absl::StrCat("namespace types: ", 8) << "\n";
  return 0;
}

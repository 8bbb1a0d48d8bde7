// What is to be said where a container was not found, and its engine may be one that could not be
// asked.

#ifndef NSCTL_CMD_UNASKED_ENGINES_H_
#define NSCTL_CMD_UNASKED_ENGINES_H_

#include <string>

#include "engines/container.pb.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::cmd {

// "; 2 processes that may be engines could not be asked (first pid:123: EACCES)", of the gaps of
// the search for engines; empty where there is none. Safe for a terminal.
std::string UnaskedText(const google::protobuf::RepeatedPtrField<engines::EngineGap>& gaps);
std::string UnaskedText(const google::protobuf::RepeatedPtrField<nsdisc::Gap>& gaps);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_UNASKED_ENGINES_H_

#include "cmd/writer.h"

namespace nsctl::cmd {
namespace {

constexpr size_t kBufferSize = 64 << 10;

}  // namespace

void FdWriter::Append(absl::string_view bytes) {
  if (!status_.ok()) return;
  if (bytes.size() >= kBufferSize) {
    // Copying it would cost more than the write that it saves.
    if (Flush().ok()) Write(bytes);
    return;
  }
  buffer_.append(bytes.data(), bytes.size());
  if (buffer_.size() >= kBufferSize) Flush().IgnoreError();
}

absl::Status FdWriter::Flush() {
  if (status_.ok() && !buffer_.empty()) Write(buffer_);
  buffer_.clear();
  return status_;
}

void FdWriter::Write(absl::string_view bytes) {
  if (written_ != nullptr) *written_ = true;
  status_ = base::WriteAll(fd_, bytes);
}

bool WriterSink::Write(const void* bytes, int size) {
  writer_->Append(absl::string_view(static_cast<const char*>(bytes), size));
  return writer_->ok();
}

}  // namespace nsctl::cmd

// Where a command's bytes go: a descriptor, or a string in a test.

#ifndef NSCTL_CMD_WRITER_H_
#define NSCTL_CMD_WRITER_H_

#include <atomic>
#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/fd.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace nsctl::cmd {

// Not safe for use from several threads.
class Writer {
 public:
  virtual ~Writer() = default;

  // Takes `bytes`, now or with the next Flush. After a failure it drops them.
  virtual void Append(absl::string_view bytes) = 0;

  // Sends what is left. Errors: the first that any write met.
  virtual absl::Status Flush() = 0;

  // False once a write failed: whoever produces much may stop.
  virtual bool ok() const = 0;
};

// Writes to a descriptor, in large pieces. Bytes that are not flushed are lost.
class FdWriter : public Writer {
 public:
  // `fd` must outlive the writer.
  explicit FdWriter(base::FdRef fd) : fd_(fd) {}

  void Append(absl::string_view bytes) override;
  absl::Status Flush() override;
  bool ok() const override { return status_.ok(); }

  // From now on `*written` becomes true before anything is written. It must outlive the writer.
  void TellBeforeWriting(std::atomic<bool>* written) { written_ = written; }

 private:
  void Write(absl::string_view bytes);

  base::FdRef fd_;
  std::atomic<bool>* written_ = nullptr;
  std::string buffer_;
  absl::Status status_;
};

class StringWriter : public Writer {
 public:
  void Append(absl::string_view bytes) override { text_.append(bytes.data(), bytes.size()); }
  absl::Status Flush() override { return absl::OkStatus(); }
  bool ok() const override { return true; }

  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// A Writer as protobuf's serializers want it:
//
//   WriterSink sink(writer);
//   google::protobuf::io::CopyingOutputStreamAdaptor stream(&sink);
class WriterSink : public google::protobuf::io::CopyingOutputStream {
 public:
  // `writer` must outlive the sink.
  explicit WriterSink(Writer* writer) : writer_(writer) {}

  bool Write(const void* bytes, int size) override;

 private:
  Writer* writer_;
};

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_WRITER_H_

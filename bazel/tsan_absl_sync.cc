// Tells ThreadSanitizer about the synchronization of Abseil.
//
// The distribution's libabsl_synchronization is not instrumented, so that all
// data guarded by an absl::Mutex would look unguarded. The functions here stand
// in front of the library's: the dynamic linker finds the definitions of the
// executable first, for calls out of other libraries as well. Linked into tests
// under --config=tsan alone.

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

#include "absl/base/options.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

extern "C" {
// From compiler-rt's tsan_interface.h and its dynamic annotations.
void __tsan_acquire(void* address);
void __tsan_release(void* address);
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}

namespace {

template <typename Function>
Function* Real(const char* symbol) {
  void* found = dlsym(RTLD_NEXT, symbol);
  if (found == nullptr) {
    std::fprintf(stderr, "no %s in libabsl_synchronization\n", symbol);
    std::abort();
  }
  return reinterpret_cast<Function*>(found);
}

// Abseil evaluates the conditions of waiting threads in whichever thread gives
// the lock up, after our release of it: their reads are in order all the same.
class Diverted {
 public:
  Diverted() {
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  }
  Diverted(const Diverted&) = delete;
  Diverted& operator=(const Diverted&) = delete;
  ~Diverted() {
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
  }
};

// absl::Notification is a Mutex followed by an atomic flag that its header
// reads inline; the flag's own address is where that read looks for a release.
void* NotifiedFlag(void* notification) {
  return static_cast<char*>(notification) + sizeof(absl::Mutex);
}

}  // namespace

#define ABSL_SYMBOL(name) "_ZN4absl7debian3" name
#define ABSL_CONST_SYMBOL(name) "_ZNK4absl7debian3" name

// Calls the library's function between giving up `released` and taking
// `acquired`; either may be null.
#define FORWARD(type, symbol, released, acquired, call) \
  static type* const real = Real<type>(symbol);         \
  if ((released) != nullptr) __tsan_release(released);  \
  struct Acquire {                                      \
    ~Acquire() {                                        \
      if (address != nullptr) __tsan_acquire(address);  \
    }                                                   \
    void* address;                                      \
  } acquire{acquired};                                  \
  Diverted diverted;                                    \
  return real call

#define INTERPOSE_1(id, symbol, result, released, acquired) \
  extern "C" result id(void* self) __asm__(symbol);         \
  extern "C" result id(void* self) {                        \
    using Type = result(void*);                             \
    FORWARD(Type, symbol, released, acquired, (self));      \
  }

#define INTERPOSE_2(id, symbol, result, type_a, released, acquired) \
  extern "C" result id(void* self, type_a a) __asm__(symbol);       \
  extern "C" result id(void* self, type_a a) {                      \
    using Type = result(void*, type_a);                             \
    FORWARD(Type, symbol, released, acquired, (self, a));           \
  }

#define INTERPOSE_3(id, symbol, result, type_a, type_b, released, acquired) \
  extern "C" result id(void* self, type_a a, type_b b) __asm__(symbol);     \
  extern "C" result id(void* self, type_a a, type_b b) {                    \
    using Type = result(void*, type_a, type_b);                             \
    FORWARD(Type, symbol, released, acquired, (self, a, b));                \
  }

void* const kNothing = nullptr;

// A failed TryLock acquires too, which can hide a race but never invents one.
INTERPOSE_1(MutexLock, ABSL_SYMBOL("5Mutex4LockEv"), void, kNothing, self)
INTERPOSE_1(MutexTryLock, ABSL_SYMBOL("5Mutex7TryLockEv"), bool, kNothing, self)
INTERPOSE_1(MutexUnlock, ABSL_SYMBOL("5Mutex6UnlockEv"), void, self, kNothing)
INTERPOSE_1(MutexReaderLock, ABSL_SYMBOL("5Mutex10ReaderLockEv"), void, kNothing, self)
INTERPOSE_1(MutexReaderTryLock, ABSL_SYMBOL("5Mutex13ReaderTryLockEv"), bool, kNothing, self)
INTERPOSE_1(MutexReaderUnlock, ABSL_SYMBOL("5Mutex12ReaderUnlockEv"), void, self, kNothing)

INTERPOSE_2(MutexLockWhen, ABSL_SYMBOL("5Mutex8LockWhenERKNS0_9ConditionE"), void,
            const absl::Condition&, kNothing, self)
INTERPOSE_2(MutexReaderLockWhen, ABSL_SYMBOL("5Mutex14ReaderLockWhenERKNS0_9ConditionE"), void,
            const absl::Condition&, kNothing, self)
INTERPOSE_3(MutexLockWhenWithTimeout,
            ABSL_SYMBOL("5Mutex19LockWhenWithTimeoutERKNS0_9ConditionENS0_8DurationE"), bool,
            const absl::Condition&, absl::Duration, kNothing, self)
INTERPOSE_3(MutexLockWhenWithDeadline,
            ABSL_SYMBOL("5Mutex20LockWhenWithDeadlineERKNS0_9ConditionENS0_4TimeE"), bool,
            const absl::Condition&, absl::Time, kNothing, self)

INTERPOSE_2(MutexAwait, ABSL_SYMBOL("5Mutex5AwaitERKNS0_9ConditionE"), void, const absl::Condition&,
            self, self)
INTERPOSE_3(MutexAwaitWithTimeout,
            ABSL_SYMBOL("5Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE"), bool,
            const absl::Condition&, absl::Duration, self, self)
INTERPOSE_3(MutexAwaitWithDeadline,
            ABSL_SYMBOL("5Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE"), bool,
            const absl::Condition&, absl::Time, self, self)

INTERPOSE_2(CondVarWait, ABSL_SYMBOL("7CondVar4WaitEPNS0_5MutexE"), void, void*, a, a)
INTERPOSE_3(CondVarWaitWithTimeout,
            ABSL_SYMBOL("7CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE"), bool, void*,
            absl::Duration, a, a)
INTERPOSE_3(CondVarWaitWithDeadline,
            ABSL_SYMBOL("7CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE"), bool, void*,
            absl::Time, a, a)

INTERPOSE_1(NotificationNotify, ABSL_SYMBOL("12Notification6NotifyEv"), void, NotifiedFlag(self),
            kNothing)
INTERPOSE_1(NotificationWait, ABSL_CONST_SYMBOL("12Notification19WaitForNotificationEv"), void,
            kNothing, NotifiedFlag(self))
INTERPOSE_2(NotificationWaitWithTimeout,
            ABSL_CONST_SYMBOL("12Notification30WaitForNotificationWithTimeoutENS0_8DurationE"),
            bool, absl::Duration, kNothing, NotifiedFlag(self))
INTERPOSE_2(NotificationWaitWithDeadline,
            ABSL_CONST_SYMBOL("12Notification31WaitForNotificationWithDeadlineENS0_4TimeE"), bool,
            absl::Time, kNothing, NotifiedFlag(self))

INTERPOSE_1(BlockingCounterDecrement, ABSL_SYMBOL("15BlockingCounter14DecrementCountEv"), bool,
            self, kNothing)
INTERPOSE_1(BlockingCounterWait, ABSL_SYMBOL("15BlockingCounter4WaitEv"), void, kNothing, self)
INTERPOSE_1(BarrierBlock, ABSL_SYMBOL("7Barrier5BlockEv"), bool, self, self)

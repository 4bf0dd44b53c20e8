#include "cpp/base/status.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <string>
#include <utility>

namespace {
bool refuse_memory = false;
}  // namespace

// Status allocates with this form only. So a test can make the allocation fail without the end of
// the program.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return refuse_memory ? nullptr : ::operator new(size);
}

namespace mooring {
namespace {

constexpr ErrorDetail kConstant =
    ConstantError(Code::kTimeout, Retry::kLater, "too late", "wait longer", ETIME);

TEST(Status, IsSuccessByDefault) {
  const Status status;
  EXPECT_TRUE(status.ok());
  EXPECT_TRUE(OkStatus().ok());
  EXPECT_EQ(status.code(), Code::kOk);
  EXPECT_EQ(status.retry(), Retry::kNever);
  EXPECT_EQ(status.system_error(), 0);
  EXPECT_STREQ(status.message(), "");
  EXPECT_STREQ(status.remedy(), "");
}

TEST(Status, KeepsCopiesOfItsTexts) {
  std::string message = "the disk is full";
  std::string remedy = "delete something";
  const Status status(Code::kExhausted, Retry::kAfterRemedy, message, remedy, ENOSPC);
  message.assign(message.size(), '?');
  remedy.assign(remedy.size(), '?');
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(status.code(), Code::kExhausted);
  EXPECT_EQ(status.retry(), Retry::kAfterRemedy);
  EXPECT_EQ(status.system_error(), ENOSPC);
  EXPECT_STREQ(status.message(), "the disk is full");
  EXPECT_STREQ(status.remedy(), "delete something");
}

TEST(Status, AcceptsEmptyTexts) {
  const Status status(Code::kInternal, Retry::kNever, {}, {});
  EXPECT_FALSE(status.ok());
  EXPECT_STREQ(status.message(), "");
  EXPECT_STREQ(status.remedy(), "");
}

TEST(Status, AcceptsTextsWithoutNul) {
  const std::string text = "abcdef";
  const Status status(Code::kIo, Retry::kNever, std::string_view(text).substr(0, 3),
                      std::string_view(text).substr(3));
  EXPECT_STREQ(status.message(), "abc");
  EXPECT_STREQ(status.remedy(), "def");
}

TEST(Status, MovesItsError) {
  Status first = InvalidArgument("no", "yes");
  Status second = std::move(first);
  EXPECT_TRUE(first.ok());  // NOLINT: moved from on purpose
  EXPECT_EQ(second.code(), Code::kInvalidArgument);
  second = Status(kConstant);
  EXPECT_EQ(second.code(), Code::kTimeout);
  Status& same = second;
  second = std::move(same);
  EXPECT_EQ(second.code(), Code::kTimeout);
}

TEST(Status, OfAConstantAllocatesNothing) {
  refuse_memory = true;
  const Status status(kConstant);
  refuse_memory = false;
  EXPECT_EQ(status.code(), Code::kTimeout);
  EXPECT_EQ(status.retry(), Retry::kLater);
  EXPECT_EQ(status.message(), kConstant.message);
  EXPECT_EQ(status.system_error(), ETIME);
}

TEST(Status, IsExhaustedWhenTheAllocationFails) {
  refuse_memory = true;
  const Status status(Code::kIo, Retry::kNever, "lost", "lost");
  refuse_memory = false;
  EXPECT_EQ(status.code(), Code::kExhausted);
  EXPECT_EQ(status.system_error(), ENOMEM);
  EXPECT_STRNE(status.message(), "");
  EXPECT_STRNE(status.remedy(), "");
}

TEST(Status, ReleasePassesTheDetailOn) {
  Status status = InvalidArgument("no", "yes");
  const ErrorDetail* detail = status.Release();
  EXPECT_TRUE(status.ok());
  ASSERT_NE(detail, nullptr);
  EXPECT_FALSE(detail->constant);
  EXPECT_STREQ(detail->message, "no");
  Status::Destroy(detail);
  EXPECT_EQ(OkStatus().Release(), nullptr);
}

TEST(Status, DestroyDoesNotFreeConstants) {
  Status::Destroy(&kConstant);
  Status::Destroy(nullptr);
  EXPECT_STREQ(kConstant.message, "too late");
}

TEST(InvalidArgument, HasRetryNever) {
  const Status status = InvalidArgument("no", "yes");
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_EQ(status.retry(), Retry::kNever);
  EXPECT_EQ(status.system_error(), EINVAL);
}

TEST(ErrnoStatus, ItsMessageHasTheCallAndTheErrno) {
  const Status status = ErrnoStatus(ENOENT, "cannot open x", "create x");
  EXPECT_STREQ(status.message(), (std::string("cannot open x: ") + std::strerror(ENOENT)).c_str());
  EXPECT_STREQ(status.remedy(), "create x");
  EXPECT_EQ(status.system_error(), ENOENT);
}

TEST(ErrnoStatus, MapsEachErrnoToACodeAndARetryClass) {
  const struct {
    int error;
    Code code;
    Retry retry;
  } kCases[] = {
      {ENOMEM, Code::kExhausted, Retry::kAfterRemedy},
      {EMFILE, Code::kExhausted, Retry::kAfterRemedy},
      {ENFILE, Code::kExhausted, Retry::kAfterRemedy},
      {ENOSPC, Code::kExhausted, Retry::kAfterRemedy},
      {EDQUOT, Code::kExhausted, Retry::kAfterRemedy},
      {EAGAIN, Code::kExhausted, Retry::kLater},
      {EBUSY, Code::kExhausted, Retry::kLater},
      {ENOBUFS, Code::kExhausted, Retry::kLater},
      {EPERM, Code::kPermission, Retry::kAfterRemedy},
      {EACCES, Code::kPermission, Retry::kAfterRemedy},
      {ENOENT, Code::kNotFound, Retry::kNever},
      {ENXIO, Code::kNotFound, Retry::kNever},
      {ENODEV, Code::kNotFound, Retry::kNever},
      {ENOSYS, Code::kUnsupported, Retry::kNever},
      {EOPNOTSUPP, Code::kUnsupported, Retry::kNever},
      {EINVAL, Code::kInvalidArgument, Retry::kNever},
      {EBADF, Code::kInvalidArgument, Retry::kNever},
      {ECANCELED, Code::kCancelled, Retry::kLater},
      {ETIME, Code::kTimeout, Retry::kLater},
      {ETIMEDOUT, Code::kTimeout, Retry::kLater},
      {EIO, Code::kIo, Retry::kNever},
      {EPIPE, Code::kIo, Retry::kNever},
  };
  for (const auto& expected : kCases) {
    const Status status = ErrnoStatus(expected.error, "x", "y");
    EXPECT_EQ(status.code(), expected.code) << std::strerror(expected.error);
    EXPECT_EQ(status.retry(), expected.retry) << std::strerror(expected.error);
  }
}

TEST(CodeName, NamesEveryCodeAndOnlyThose) {
  EXPECT_STREQ(CodeName(Code::kOk), "OK");
  EXPECT_STREQ(CodeName(Code::kInvalidArgument), "INVALID_ARGUMENT");
  EXPECT_STREQ(CodeName(Code::kMemlockLimit), "MEMLOCK_LIMIT");
  EXPECT_STREQ(CodeName(Code::kForked), "FORKED");
  EXPECT_STREQ(CodeName(Code::kInternal), "INTERNAL");
  EXPECT_STREQ(CodeName(Code{15}), "UNKNOWN");
  EXPECT_STREQ(CodeName(Code{UINT32_MAX}), "UNKNOWN");
}

}  // namespace
}  // namespace mooring

#include "tools/moor/tcp_address.h"

#include <gtest/gtest.h>

namespace moor {
namespace {

TEST(TcpAddress, ParsesAndFormatsHostAndPort) {
  for (const char* text : {"localhost:1", "10.0.0.1:65535", "[::1]:9000", "[fe80::1%lo]:80"}) {
    const std::optional<TcpAddress> address = ParseTcpAddress(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(FormatTcpAddress(*address), text);
  }
  EXPECT_EQ(ParseTcpAddress("[::1]:9000")->host, "::1");
  EXPECT_EQ(ParseTcpAddress("[::1]:9000")->port, 9000);
}

TEST(TcpAddress, RejectsInvalidText) {
  for (const char* text :
       {"", ":", "localhost", "localhost:", ":80", "localhost:0", "a:65536", "a:-1", "a:+1", "a: 1",
        "a:1x", "::1:80", "[]:80", "[::1:80", "::1]:80"}) {
    EXPECT_FALSE(ParseTcpAddress(text)) << text;
  }
}

TEST(TcpAddress, ParsePortAcceptsZero) {
  EXPECT_EQ(ParsePort("0"), 0);
  EXPECT_EQ(ParsePort("65535"), 65535);
  EXPECT_FALSE(ParsePort("65536"));
  EXPECT_FALSE(ParsePort(""));
}

}  // namespace
}  // namespace moor

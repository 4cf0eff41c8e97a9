#!/bin/sh
# What tests/count and tests/failures make of a run of this machine's ctest in which there is one of each kind.
set -eu
tests=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >CTestTestfile.cmake <<'END'
add_test(good /bin/sh -c "echo 'All tests passed (3 assertions in 2 test cases)'")
add_test(bad /bin/sh -c "echo before; echo 'x.cc:7: FAILED:'; echo '  CHECK( no )'; echo 'test cases: 3 | 2 passed | 1 failed'; exit 1")
add_test(silent /bin/sh -c "true")
add_test(skipped /bin/sh -c "echo SKIPPED: no file system; echo 'All tests passed (1 assertion in 1 test case)'")
set_tests_properties(skipped PROPERTIES SKIP_REGULAR_EXPRESSION "SKIPPED:")
add_test(crashed /bin/sh -c "kill -9 $$")
add_test(good_again /bin/sh -c "echo 'All tests passed (3 assertions in 1 test case)'")
END
ctest -j 2 >out || true
said=$("$tests/count" out Testing/Temporary/LastTest.log)
[ "$said" = "6 2 1" ] || { echo "6 passed, 2 failed, 1 skipped; counted: $said"; exit 1; }
said=$("$tests/failures" Testing/Temporary/LastTest.log | grep -v '^test cases')
[ "$said" = "--- failed: bad
x.cc:7: FAILED:
  CHECK( no )
--- failed: crashed" ] || { echo "not the two failures: $said"; exit 1; }

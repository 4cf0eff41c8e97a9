// Leaks that are not ours, in each sanitized program: a file beside them may be closed to the user
// that a program runs as.

extern "C" {
const char* __lsan_default_suppressions();
const char* __lsan_default_options();
}

const char* __lsan_default_suppressions() {
  // libpqxx 6.4 loses the result of a query when the connection is lost in it: its encoding is
  // asked for before anybody owns it.
  return "leak:pqxx::connection_base::exec\nleak:PQmakeEmptyPGresult\n";
}

const char* __lsan_default_options() {
  return "print_suppressions=0";  // tests read what programs write
}

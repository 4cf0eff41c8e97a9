# Compares PAGE with what `BINARY conf reference` prints; PRINTED is where that is kept for a look.
execute_process(COMMAND ${BINARY} conf reference OUTPUT_FILE ${PRINTED} RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${BINARY} conf reference: ${status}")
endif()
execute_process(COMMAND diff -u ${PAGE} ${PRINTED} RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "doc/directives.md is behind the program: gatescope conf reference > doc/directives.md")
endif()

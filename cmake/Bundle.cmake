# Copies a shared object, stripped, under its soname: cmake -DFROM=… -DTO_DIR=… -DSTRIP=… -DREADELF=… -P Bundle.cmake

execute_process(COMMAND ${READELF} -d ${FROM} OUTPUT_VARIABLE dynamic COMMAND_ERROR_IS_FATAL ANY)
if(NOT dynamic MATCHES "SONAME[^\n]*\\[([^]\n]+)\\]")
  message(FATAL_ERROR "${FROM} has no soname")
endif()
set(target "${TO_DIR}/${CMAKE_MATCH_1}")
file(MAKE_DIRECTORY ${TO_DIR})
file(REMOVE ${target})
execute_process(COMMAND ${STRIP} --strip-unneeded -o ${target} ${FROM} COMMAND_ERROR_IS_FATAL ANY)

# Finds OpenBLAS in the build environment's Python packages.
#
# Defines the imported target kagari::openblas, and the list KAGARI_BUNDLED_LIBS of shared objects that travel inside
# the package, with their licences in KAGARI_BUNDLED_LICENCES as NAME:PATH.

set(KAGARI_BUNDLED_LIBS "")
set(KAGARI_BUNDLED_LICENCES "")

# Asks the build environment's Python where its packages keep headers and libraries: KEY=VALUE lines.
execute_process(
  COMMAND ${Python_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/locate_packages.py
  OUTPUT_VARIABLE kagari_located
  OUTPUT_STRIP_TRAILING_WHITESPACE
  COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE "\n" ";" kagari_located "${kagari_located}")
foreach(line IN LISTS kagari_located)
  if(line MATCHES "^LICENCE=(.+)$")
    list(APPEND KAGARI_BUNDLED_LICENCES "${CMAKE_MATCH_1}")
  elseif(line MATCHES "^([A-Z_]+)=(.+)$")
    set(KAGARI_FOUND_${CMAKE_MATCH_1} "${CMAKE_MATCH_2}")
  endif()
endforeach()

function(kagari_import_library name library include_dir)
  add_library(kagari::${name} SHARED IMPORTED GLOBAL)
  set_target_properties(
    kagari::${name} PROPERTIES IMPORTED_LOCATION "${library}" INTERFACE_INCLUDE_DIRECTORIES
                                                              "${include_dir}")
endfunction()

# --- OpenBLAS ---------------------------------------------------------------------------------------------------
if(NOT KAGARI_FOUND_OPENBLAS_LIBRARY)
  message(FATAL_ERROR "OpenBLAS: expected the Python package scipy-openblas32, found none; "
                      "`pip install scipy-openblas32`")
endif()
kagari_import_library(openblas "${KAGARI_FOUND_OPENBLAS_LIBRARY}" "${KAGARI_FOUND_OPENBLAS_INCLUDE}")
# Every symbol of this build carries the prefix, so that no other BLAS of the process is called by mistake.
set_target_properties(kagari::openblas PROPERTIES INTERFACE_COMPILE_DEFINITIONS
                                                  "BLAS_SYMBOL_PREFIX=scipy_")
list(APPEND KAGARI_BUNDLED_LIBS "${KAGARI_FOUND_OPENBLAS_LIBRARY}")
message(STATUS "OpenBLAS: ${KAGARI_FOUND_OPENBLAS_LIBRARY}")

# --- What OpenBLAS may need of the Fortran run time -------------------------------------------------------------
execute_process(
  COMMAND ${CMAKE_READELF} -d ${KAGARI_FOUND_OPENBLAS_LIBRARY}
  OUTPUT_VARIABLE openblas_dynamic
  COMMAND_ERROR_IS_FATAL ANY)
foreach(name libgfortran.so.5 libquadmath.so.0)
  if(openblas_dynamic MATCHES "NEEDED[^\n]*\\[${name}\\]")
    execute_process(
      COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=${name}
      OUTPUT_VARIABLE path
      OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(NOT IS_ABSOLUTE "${path}" OR NOT EXISTS "${path}")
      message(FATAL_ERROR "OpenBLAS needs ${name}, which ${CMAKE_CXX_COMPILER} does not have; install it")
    endif()
    list(APPEND KAGARI_BUNDLED_LIBS "${path}")
  endif()
endforeach()

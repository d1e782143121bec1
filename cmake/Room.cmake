# A room is one folder under src/: every .cpp in it, minus *_test.cpp, is one static library
# tessera_<room>; its *_test.cpp files are one test program <room>_test. LINKS are the rooms (and
# vocabulary libraries) its headers may show; PRIVATE are the libraries behind its wall.
#
#   tessera_room(NAME prompt LINKS base PRIVATE PkgConfig::utf8proc TEST_LINKS checkpoint)
function(tessera_room)
    cmake_parse_arguments(ROOM "" "NAME" "LINKS;PRIVATE;TEST_LINKS;EXCLUDE" ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
    set(tests ${sources})
    list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
    list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
    foreach(pattern IN LISTS ROOM_EXCLUDE)
        list(FILTER sources EXCLUDE REGEX "/${pattern}$")
        list(FILTER tests EXCLUDE REGEX "/${pattern}$")
    endforeach()

    if(NOT sources)
        return()
    endif()
    set(target tessera_${ROOM_NAME})
    add_library(${target} STATIC ${sources})
    list(TRANSFORM ROOM_LINKS REPLACE "^([a-z]+)$" "tessera_\\1")
    target_link_libraries(${target} PUBLIC ${ROOM_LINKS} PRIVATE tessera_warnings ${ROOM_PRIVATE})
    target_include_directories(${target} PUBLIC "${PROJECT_SOURCE_DIR}/src")

    if(TESSERA_TESTS AND tests)
        list(TRANSFORM ROOM_TEST_LINKS REPLACE "^([a-z]+)$" "tessera_\\1")
        tessera_test(${ROOM_NAME}_test SOURCES ${tests} LINKS ${target} ${ROOM_TEST_LINKS} ${ROOM_PRIVATE})
    endif()
endfunction()

# One GoogleTest program, each of its tests known to ctest by its own name.
function(tessera_test name)
    cmake_parse_arguments(TEST "" "" "SOURCES;LINKS" ${ARGN})
    add_executable(${name} ${TEST_SOURCES})
    target_link_libraries(${name} PRIVATE tessera_warnings ${TEST_LINKS} rapidcheck GTest::gmock_main)
    target_compile_definitions(${name} PRIVATE TESSERA_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data")
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
        PROPERTIES TIMEOUT 300)
endfunction()

# One libFuzzer target (clang only); its corpus of seeds is fuzz/corpus/<name>.
function(tessera_fuzzer name)
    cmake_parse_arguments(FUZZ "" "" "SOURCES;LINKS" ${ARGN})
    add_executable(${name} ${FUZZ_SOURCES})
    target_link_libraries(${name} PRIVATE tessera_warnings ${FUZZ_LINKS})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/fuzz")
endfunction()

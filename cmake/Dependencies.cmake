# Every library from outside, found in one place. All are Debian 12 packages
# (tools/debian-packages.txt) but ONNX Runtime, which tools/setup.sh installs from npm.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(tl-expected REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto SSL)
find_package(ZLIB REQUIRED)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(vips REQUIRED IMPORTED_TARGET vips)
pkg_check_modules(seccomp REQUIRED IMPORTED_TARGET libseccomp)

pkg_check_modules(tomlplusplus REQUIRED IMPORTED_TARGET tomlplusplus)
find_package(SQLite3 REQUIRED)
# Asio and Beast; headers alone. Their code is compiled once, in http/asio_beast.cpp.
find_package(Boost 1.81 REQUIRED)

find_package(Protobuf REQUIRED)
find_path(ONNX_INCLUDE_DIR onnx/onnx_pb.h REQUIRED)
find_library(ONNX_PROTO_LIBRARY onnx_proto REQUIRED)
find_library(ONNX_LIBRARY onnx REQUIRED)  # the checker, for tests
add_library(tessera_onnx_format INTERFACE)
target_include_directories(tessera_onnx_format SYSTEM INTERFACE "${ONNX_INCLUDE_DIR}")
target_link_libraries(tessera_onnx_format INTERFACE "${ONNX_PROTO_LIBRARY}" protobuf::libprotobuf)
target_compile_definitions(tessera_onnx_format INTERFACE ONNX_ML=1 ONNX_NAMESPACE=onnx)

if(TESSERA_ENGINE)
    find_package(OnnxRuntime REQUIRED)
    find_package(CLI11 REQUIRED)
endif()
if(TESSERA_TESTS)
    find_package(GTest REQUIRED)
    find_package(rapidcheck REQUIRED)
endif()
if(TESSERA_BENCH)
    find_package(benchmark REQUIRED)
endif()

# ONNX Runtime from ONNXRUNTIME_ROOT (cache variable or environment): either an official release
# layout (include/, lib/) or the npm package that tools/setup.sh installs. Defines OnnxRuntime::OnnxRuntime.
set(ONNXRUNTIME_ROOT "$ENV{ONNXRUNTIME_ROOT}" CACHE PATH "Where ONNX Runtime is installed")
if(NOT ONNXRUNTIME_ROOT)
    set(ONNXRUNTIME_ROOT
        "${PROJECT_SOURCE_DIR}/third_party/onnxruntime/node_modules/com.github.asus4.onnxruntime")
endif()

set(_npm_headers "Plugins/iOS~/onnxruntime.xcframework/ios-arm64/onnxruntime.framework/Headers")
find_path(OnnxRuntime_INCLUDE_DIR onnxruntime_c_api.h
    HINTS "${ONNXRUNTIME_ROOT}"
    PATH_SUFFIXES include include/onnxruntime include/onnxruntime/core/session "${_npm_headers}"
    NO_DEFAULT_PATH)
find_library(OnnxRuntime_LIBRARY onnxruntime
    HINTS "${ONNXRUNTIME_ROOT}" PATH_SUFFIXES lib lib64 Plugins/Linux/x64 NO_DEFAULT_PATH)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OnnxRuntime
    REQUIRED_VARS OnnxRuntime_LIBRARY OnnxRuntime_INCLUDE_DIR
    REASON_FAILURE_MESSAGE "Run tools/setup.sh, or set ONNXRUNTIME_ROOT to an install of ONNX Runtime 1.29.")

if(OnnxRuntime_FOUND AND NOT TARGET OnnxRuntime::OnnxRuntime)
    add_library(OnnxRuntime::OnnxRuntime SHARED IMPORTED)
    set_target_properties(OnnxRuntime::OnnxRuntime PROPERTIES
        IMPORTED_LOCATION "${OnnxRuntime_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${OnnxRuntime_INCLUDE_DIR}")
endif()

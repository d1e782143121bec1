#include "tessera/picture_file.h"

#include "imaging/codec.h"
#include "tessera/stop_watch.h"

namespace tessera::cli {

Result<Bytes> encode_picture(const Image& picture, const Recipe& recipe, const OutputPlan& output) {
    TESSERA_ASSIGN(const auto metadata, picture_metadata(recipe));
    EncodeOptions options;
    options.quality = output.quality().value_or(options.quality);
    return encode(picture, output.format(), options, metadata);
}

Status write_picture(
    const Image& picture, const OutputPlan& output, int number, FinishedPicture& finished
) {
    StopWatch watch;
    TESSERA_ASSIGN(const auto file, encode_picture(picture, finished.recipe, output));
    TESSERA_ASSIGN(
        finished.path, output.write(number, finished.recipe.prompt, finished.recipe.seed.seed, file)
    );
    finished.seconds.writing = watch.lap();
    return {};
}

}  // namespace tessera::cli

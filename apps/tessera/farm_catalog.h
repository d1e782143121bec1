#pragma once

#include "api/catalog.h"
#include "storage/object_store.h"
#include "tessera/model_pool.h"
#include "tessera/model_shelf.h"
#include "tessera/painting.h"
#include "tessera/render_settings.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tessera::cli {

/// What this installation can do, told to the API. Models are opened as far as their configurations
/// and tokenizers go; their weights are the workers' business.
class FarmCatalog final : public api::Catalog {
  public:
    /// All of them must outlive it.
    FarmCatalog(
        const ModelShelf& shelf,
        const ObjectStore& store,
        RenderListener& listener,
        Metrics& metrics
    );

    [[nodiscard]] std::vector<api::ModelEntry> models() const override;
    [[nodiscard]] std::vector<api::SamplerEntry> samplers() const override;
    [[nodiscard]] std::vector<std::string> schedules() const override;
    [[nodiscard]] std::vector<api::UpscalerEntry> upscalers() const override;
    [[nodiscard]] std::vector<api::StyleEntry> styles() const override;
    [[nodiscard]] std::vector<std::string> embeddings() const override;
    [[nodiscard]] Result<std::pair<JobSpec, ResolvedJob>> resolve(JobSpec spec) const override;
    [[nodiscard]] Result<api::UploadEntry> inspect(ByteView picture) const override;
    [[nodiscard]] Result<Bytes> mask_from_alpha(ByteView picture) const override;
    [[nodiscard]] Result<std::map<std::string, std::string>> picture_texts(ByteView picture
    ) const override;
    [[nodiscard]] Result<Bytes> convert(
        ByteView picture, const std::string& format, std::optional<int> quality
    ) const override;

  private:
    Result<std::pair<JobSpec, ResolvedJob>> resolve_render(JobSpec spec) const;
    Result<std::pair<JobSpec, ResolvedJob>> resolve_upscale(JobSpec spec) const;
    Result<GivenPictures> given_pictures(const JobSpec& spec) const;
    Result<Image> upload(const std::string& sha256) const;
    Result<std::optional<int>> network_scale(const std::string& upscaler) const;

    const ModelShelf& shelf_;
    const ObjectStore& store_;
    mutable ModelPool pool_;
    RenderListener& listener_;
};

}  // namespace tessera::cli

#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>

namespace tessera::cli {

/// Hears how far the work on pictures is: a person's terminal, or a worker that tells its farm.
class RenderListener {
  public:
    virtual ~RenderListener() = default;

    virtual void phase(const std::string& name) = 0;
    /// `step` of `steps` are done; the first call of a picture says 0. `unit` is what they are
    /// called.
    virtual void step(std::size_t step, std::size_t steps, const std::string& unit) = 0;
    /// A sentence for the person.
    virtual void say(const std::string& line) = 0;
};

/// Passes sentences on, and nothing else.
class SayingListener final : public RenderListener {
  public:
    explicit SayingListener(std::function<void(const std::string&)> say) : say_(std::move(say)) {}
    void phase(const std::string& /*name*/) override {}
    void step(std::size_t /*step*/, std::size_t /*steps*/, const std::string& /*unit*/) override {}
    void say(const std::string& line) override { say_(line); }

  private:
    std::function<void(const std::string&)> say_;
};

}  // namespace tessera::cli

#include "http/loop_internal.h"

#include <boost/asio/post.hpp>

#include <utility>
#include <vector>

namespace tessera::http {

Loop::Loop(std::chrono::milliseconds tick)
    : tick_(tick),
      context_(std::make_unique<boost::asio::io_context>(1)),
      work_(context_->get_executor()),
      timer_(std::make_unique<boost::asio::steady_timer>(*context_)) {
    schedule_tick();
    thread_ = std::thread([this] { context_->run(); });
}

Loop::~Loop() {
    shut();
}

void Loop::post(std::function<void()> task) {
    const std::scoped_lock lock(mutex_);
    if (is_open_) {
        boost::asio::post(*context_, std::move(task));
    }
}

void Loop::drain() {
    post([this] {
        is_draining_ = true;
        std::vector<std::shared_ptr<Session>> sessions;  // a drained session may leave
        for (const auto& [key, session] : sessions_) {
            sessions.push_back(session);
        }
        for (const auto& session : sessions) {
            session->drain();
        }
    });
}

void Loop::shut() {
    if (!thread_.joinable()) {
        return;
    }
    post([this] {
        is_draining_ = true;
        while (!sessions_.empty()) {
            const auto session = sessions_.begin()->second;
            session->close();
        }
        timer_->cancel();
        context_->stop();
    });
    thread_.join();
    {
        const std::scoped_lock lock(mutex_);
        is_open_ = false;
    }
    // What still waits in it is destroyed without the lock, since an exchange's end posts.
    timer_.reset();
    work_.reset();
    sessions_.clear();
    context_.reset();
}

bool Loop::wait_until_empty(SteadyTime until) {
    std::unique_lock lock(mutex_);
    return has_shrunk_.wait_until(lock, until, [&] { return size_ == 0; });
}

void Loop::add(std::shared_ptr<Session> session) {
    Session& added = *session;
    sessions_.emplace(&added, std::move(session));
    {
        const std::scoped_lock lock(mutex_);
        size_ = sessions_.size();
    }
    if (is_draining_) {
        added.close();
    }
}

void Loop::remove(Session& session) {
    const auto found = sessions_.find(&session);
    if (found == sessions_.end()) {
        return;
    }
    const auto removed = std::move(found->second);
    sessions_.erase(found);
    {
        const std::scoped_lock lock(mutex_);
        size_ = sessions_.size();
    }
    has_shrunk_.notify_all();
}

void Loop::schedule_tick() {
    timer_->expires_after(tick_);
    timer_->async_wait([this](const boost::system::error_code& error) {
        if (error) {
            return;
        }
        std::vector<std::shared_ptr<Session>> sessions;
        sessions.reserve(sessions_.size());
        for (const auto& [key, session] : sessions_) {
            sessions.push_back(session);
        }
        const auto now = std::chrono::steady_clock::now();
        for (const auto& session : sessions) {
            session->tick(now);
        }
        schedule_tick();
    });
}

}  // namespace tessera::http

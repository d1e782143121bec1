#include "http/handler_pool.h"

#include <algorithm>
#include <utility>

namespace tessera::http {

HandlerPool::HandlerPool(int threads) {
    for (int i = 0; i < std::max(threads, 1); ++i) {
        threads_.emplace_back([this] { run(); });
    }
}

HandlerPool::~HandlerPool() {
    shut();
}

void HandlerPool::post(std::function<void()> task) {
    {
        const std::scoped_lock lock(mutex_);
        if (is_shut_) {
            return;
        }
        tasks_.push_back(std::move(task));
    }
    has_work_.notify_one();
}

void HandlerPool::shut() {
    {
        const std::scoped_lock lock(mutex_);
        is_shut_ = true;
    }
    has_work_.notify_all();
    for (std::thread& thread : threads_) {
        if (thread.joinable()) {
            thread.join();
        }
    }
}

void HandlerPool::run() {
    for (;;) {
        std::function<void()> task;
        {
            std::unique_lock lock(mutex_);
            has_work_.wait(lock, [&] { return is_shut_ || !tasks_.empty(); });
            if (tasks_.empty()) {
                return;
            }
            task = std::move(tasks_.front());
            tasks_.pop_front();
        }
        try {
            task();
        } catch (...) {
            task = nullptr;  // what it held goes: an exchange answers 500
        }
    }
}

void TaskChain::post(std::function<void()> task) {
    {
        const std::scoped_lock lock(mutex_);
        tasks_.push_back(std::move(task));
        if (std::exchange(is_running_, true)) {
            return;
        }
    }
    pool_->post([self = shared_from_this()] { self->run_next(); });
}

void TaskChain::run_next() {
    for (;;) {
        std::function<void()> task;
        {
            const std::scoped_lock lock(mutex_);
            if (tasks_.empty()) {
                is_running_ = false;
                return;
            }
            task = std::move(tasks_.front());
            tasks_.pop_front();
        }
        task();
    }
}

}  // namespace tessera::http

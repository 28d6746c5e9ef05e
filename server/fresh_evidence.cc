#include "server/fresh_evidence.h"

#include <boost/asio/post.hpp>

namespace eml {

Status FreshEvidence::ask(std::shared_ptr<const Epoch> epoch, const Hash32& challenge,
                          boost::asio::any_io_executor executor, std::function<void(Result<Bytes>)> done) {
  if (queued_.fetch_add(1) > kFreshQueueMax) {  // one at work and the queue behind it
    queued_.fetch_sub(1);
    return fail(kFreshBusy, "too many requests for fresh evidence at this moment");
  }
  boost::asio::post(pool_, [this, epoch = std::move(epoch), challenge, executor = std::move(executor),
                            done = std::move(done)]() mutable {
    auto bundle = maker_.fresh_bundle(*epoch, challenge);
    queued_.fetch_sub(1);
    boost::asio::post(executor,
                      [done = std::move(done), bundle = std::move(bundle)]() mutable { done(std::move(bundle)); });
  });
  return {};
}

}  // namespace eml

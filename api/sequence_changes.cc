// SequenceService: what becomes of memory when others change the database, and when factors come.

#include <utility>

#include "api/encode.h"
#include "api/sequence_service.h"

namespace gatescope::api {

void SequenceService::on_changed(SequenceId id) {
  for (const Topic topic : {Topic::Values, Topic::Metadata, Topic::Factors}) {
    const AnswerKey key{topic, id, {}};
    {
      const std::lock_guard lock(mutex_);
      cache_.expire(key);
      missing_.erase(id);
    }
    const auto found = flights_.find(key);
    if (found != flights_.end()) found->second.flight->on_changed();
  }
}

void SequenceService::on_imported() {
  if (sources_.completing != nullptr) sources_.completing->forget();
  const std::lock_guard lock(mutex_);
  cache_.expire_all();
  searches_.expire_all();
  missing_.clear();
}

void SequenceService::expire_searches() {
  const std::lock_guard lock(mutex_);
  searches_.expire_all();
}

void SequenceService::on_changes_missed() {
  on_imported();  // that may be what was missed
}

void SequenceService::on_factored(SequenceId id, std::shared_ptr<const Terms> terms,
                                  std::shared_ptr<const Terms> factors) {
  if (sources_.store == nullptr) return;
  sources_.store->save_factors(id, terms, factors);
  const Kept known = last_known({Topic::Factors, id, {}});
  if (!known || !known->sequence()) return;  // nobody asked, or all is known
  if (&known->sequence()->terms == terms.get() || known->sequence()->terms == *terms)
    renew_factors(known, std::move(factors));
}

void SequenceService::renew_factors(const Kept& known, std::shared_ptr<const Terms> factors) {
  const SequenceId id = known->key().id;
  auto made = std::make_shared<Kept>();
  auto ticket = sources_.lane->submit(
      [sequence = known->sequence(), factors = std::move(factors), made](unsigned) {
        *made = encode_factors(sequence, *factors);
      },
      [this, id, known, made] {
        loop_.discard(std::move(renewals_[id]));
        renewals_.erase(id);
        // Not over one that came meanwhile. Never worse than what it replaces.
        if (last_known(known->key()) != known || (*made)->known() < known->known()) return;
        const MonoTime good =
            known->final() ? MonoTime::max() : loop_.clock().now() + settings_.provisional;
        const std::lock_guard lock(mutex_);
        cache_.put(*made, good);
      });
  if (!ticket) return;  // busy: the next one will do
  loop_.discard(std::exchange(renewals_[id], std::move(*ticket)));
}

}  // namespace gatescope::api

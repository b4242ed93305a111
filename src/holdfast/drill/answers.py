"""Made-up answers for a generation of ten clusters."""

TOPICS = (
    "The waiting time was far too long, I sat for {n} hours in the waiting room before anybody saw me",
    "Staff were friendly and very kind to me, every one of the {n} people who looked after me",
    "Parking is expensive and hard to find, I paid {n} pounds for the car park that day",
    "The food was cold and had no taste on {n} of the days, and there was little to choose from",
    "Nobody explained the medicines, I had to ask {n} times what the tablets were for",
    "The ward was clean and tidy, cleaners came {n} times a day and the bathrooms were spotless",
    "It was so noisy at night that I slept {n} hours, with alarms and trolleys in the corridor",
    "My appointment was cancelled {n} times and the letter with the new date came too late",
    "The doctor listened to me and took {n} minutes to explain the operation and its risks",
    "The signs are confusing, I walked {n} floors up and down before I found the clinic",
)
EACH = 12


def made_up() -> list[str]:
    """120 answers about ten things."""
    return [topic.format(n=n + 2) for n in range(EACH) for topic in TOPICS]

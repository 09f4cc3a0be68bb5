# A module of the project's own, under a name that opp2p uses too.
set(CONSUMER_HAS_ITS_OWN_COMPILER_MODULE TRUE)

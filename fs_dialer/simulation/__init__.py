"""Campaigns in virtual time: the production engine against modelled customers and agents, a day in seconds."""
